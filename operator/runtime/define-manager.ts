// A pod as a definition: its flags, its environment, its controllers and the rights that do not belong to one of them.
import type { Rule } from "#api/rbac.ts";

export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  readonly default: string;
  readonly description: string;
  /** Why a value is refused, or undefined when it is good. */
  check?(value: string): string | undefined;
}

export interface Manager {
  readonly name: "api-manager" | "agent-manager" | "bindings-forwarder-manager";
  readonly flags: readonly Flag[];
  readonly controllers: readonly { readonly name: string; readonly rbac: readonly Rule[] }[];
  readonly rbac: readonly Rule[];
}

export function defineManager<M extends Manager>(manager: M): M {
  return manager;
}

/** Every right that the pod needs: its own and its controllers'. */
export function rightsOf(manager: Manager): readonly Rule[] {
  return [...manager.rbac, ...manager.controllers.flatMap((controller) => controller.rbac)];
}
