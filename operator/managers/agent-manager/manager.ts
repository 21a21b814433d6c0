// The agent-manager: its flags, its controller, and the rights that belong to none. Importing it does nothing, so the chart
// is generated from it. It tells no events: what each agent says in the status, the leader tells once for all of them.
import { tunnelController } from "../../controllers/tunnel/controller.ts";
import { defineManager } from "../../runtime/define-manager.ts";
import { oneOf } from "../../runtime/flags.ts";
import { replicaFlags, replicaRights } from "../../runtime/replica-program.ts";

export const agentManager = defineManager({
  name: "agent-manager",
  flags: [
    ...replicaFlags("agent-manager"),
    { name: "region", default: "", description: "Accepted; ngrok chooses the place where an agent connects" },
    { name: "server-addr", default: "", description: "host:port of ngrok's agent server; empty for the public one" },
    {
      name: "root-cas",
      default: "trusted",
      description: "Authorities that ngrok's edge is trusted by: trusted (ngrok's own) or host (those of the image)",
      check: (value) => (value === "" ? undefined : oneOf("trusted", "host")(value)),
    },
    { name: "enable-feature-ingress", default: "true", description: "Accepted; told to ngrok" },
    { name: "enable-feature-gateway", default: "true", description: "Told to ngrok" },
    { name: "enable-feature-bindings", default: "false", description: "Accepted; told to ngrok" },
    { name: "disable-reference-grants", default: "false", description: "Accepted, of use to the api-manager only" },
    {
      name: "default-domain-reclaim-policy",
      default: "Delete",
      description: "Accepted, of use to the api-manager only",
      check: oneOf("Retain", "Delete"),
    },
  ],
  controllers: [tunnelController],
  rbac: replicaRights,
});
