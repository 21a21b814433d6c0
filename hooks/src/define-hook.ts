// A hook as a definition: what Helm is told (phase, weight), what it may do (rights), what it reads (env), what it does.
// scripts/generate renders its Job, ServiceAccount, Roles and bindings from the same value.
import type { Rule } from "#api/rbac.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import type { Connection } from "#kube/connection.ts";
import type { Clock } from "#wire/clock.ts";
import type { Fence } from "#wire/fence.ts";

/** Where the chart takes an environment variable from, and why the hook wants it. */
export type EnvVar =
  /** A Helm expression without braces, e.g. `.Release.Name`; rendered as a quoted string. */
  | { readonly from: "helm"; readonly value: string; readonly why: string }
  /** A field of the pod, e.g. `metadata.uid`. */
  | { readonly from: "field"; readonly path: string; readonly why: string }
  /** A key of the credentials Secret; always optional, since a missing Secret must not keep the pod from starting. */
  | { readonly from: "secret"; readonly key: string; readonly why: string };

/** The environment as the hook sees it; reading an undeclared name is a compile error. */
export type Parsed<E extends Record<string, EnvVar>> = {
  readonly [K in keyof E]: E[K] extends { from: "secret" } ? string | undefined : string;
};

/** What a hook works with; main.ts alone makes it from the process. */
export interface HookWorld<E extends Record<string, EnvVar>> {
  readonly env: Parsed<E>;
  readonly connection: Connection;
  /** ngrok's API under a fence, or undefined without a key. */
  ngrok(fence: Fence): NgrokPort | undefined;
  readonly clock: Clock;
  /** Aborts on SIGTERM. */
  readonly signal: AbortSignal;
  /** One line of the report: a word of at most nine letters and a sentence. */
  say(word: string, sentence: string): void;
}

/** What a hook came to: the exit code, and for people the last lines that they see. */
export interface HookResult {
  readonly ok: boolean;
}

export interface Hook<E extends Record<string, EnvVar> = Record<string, EnvVar>> {
  /** Also the suffix of its objects: `<fullname>-<name>`. */
  readonly name: string;
  readonly phase: "pre-delete" | "post-delete" | "test";
  readonly weight: number;
  readonly summary: string;
  readonly rbac: readonly Rule[];
  readonly env: E;
  run(world: HookWorld<E>): Promise<HookResult>;
}

export function defineHook<const E extends Record<string, EnvVar>>(hook: Hook<E>): Hook<E> {
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(hook.name))
    throw new Error(`hook ${hook.name}: a name is at most 16 of a-z, 0-9 and -`);
  return hook;
}
