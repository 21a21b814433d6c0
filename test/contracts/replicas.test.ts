// What every controller has to hold of which each replica has one: it may read what it follows, and writes its word alone.
import { describe, test } from "vitest";
import { resourceName } from "#kube/kind.ts";
import { rightsOf } from "#operator/runtime/define-manager.ts";
import { kindsReadBy } from "#operator/runtime/watches.ts";
import { agentManager } from "#operator/managers/agent-manager/manager.ts";
import { bindingsForwarderManager } from "#operator/managers/bindings-forwarder-manager/manager.ts";

describe.for([agentManager, bindingsForwarderManager])("the $name", (manager) => {
  test.for([...manager.controllers])(
    "$name may list and watch every kind that it follows",
    (controller, { expect }) => {
      const may = (kind: string, verb: "list" | "watch"): boolean =>
        controller.rbac.some(
          (rule) => resourceName(rule.kind) === kind && rule.part === undefined && rule.verbs.includes(verb),
        );
      // A definition of one kind, as the runtime takes those of all.
      const kinds = kindsReadBy(controller as unknown as Parameters<typeof kindsReadBy>[0]).map(resourceName);
      expect(kinds.filter((kind) => !may(kind, "list") || !may(kind, "watch"))).toEqual([]);
    },
  );

  test("writes nothing but statuses and events, holds no Lease and no finalizer", ({ expect }) => {
    const writes = rightsOf(manager).filter(({ kind, part, verbs }) => {
      const reads = verbs.every((verb) => ["get", "list", "watch"].includes(verb));
      return !reads && part !== "status" && resourceName(kind) !== "events.events.k8s.io";
    });
    expect(writes).toEqual([]);
    expect(rightsOf(manager).map(({ kind }) => kind.kind)).not.toContain("Lease");
  });

  test("says why it needs each right, and reads the drain state", ({ expect }) => {
    expect(rightsOf(manager).filter(({ why }) => why.trim() === "")).toEqual([]);
    expect(rightsOf(manager).some(({ kind, named }) => kind.kind === "ConfigMap" && named === "drainState")).toBe(true);
  });
});
