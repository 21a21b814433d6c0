// The bindings-forwarder-manager: its flags, its controller, and the rights that belong to none. Importing it does nothing,
// so the chart is generated from it.
import { allow } from "#api/rbac.ts";
import { Event } from "#kube/kinds.ts";
import { listenerController } from "../../controllers/listener/controller.ts";
import { defineManager } from "../../runtime/define-manager.ts";
import { replicaFlags, replicaRights } from "../../runtime/replica-program.ts";

export const bindingsForwarderManager = defineManager({
  name: "bindings-forwarder-manager",
  flags: replicaFlags("bindings-forwarder-manager"),
  controllers: [listenerController],
  rbac: [
    ...replicaRights,
    allow(Event, ["create", "patch"], { scope: "release", why: "tells on a BoundEndpoint what is in the way" }),
  ],
});
