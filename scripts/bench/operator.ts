// The api-manager's program at work on a ground, with a login of its own: what it writes stands in the audit log under its
// name, and nothing else does.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Connection } from "#kube/connection.ts";
import { type AuditEvent, endOf, eventsSince, writes } from "#test/support/audit.ts";
import type { NgrokApi } from "#test/support/ngrok-api/server.ts";
import { systemClock } from "#wire/clock.ts";
import type { BundledProgram } from "./bundled-program.ts";
import { anInstall, type Ground, KEY, RELEASE } from "./ground.ts";
import { EndedEarly, type LeaderProcess, startLeader } from "./leader-process.ts";
import { profileFlags } from "./verdict.ts";

const ACCOUNT = "bench-manager";

export interface Operator {
  readonly leader: LeaderProcess;
  /** Aborts when the work is of no use any more: it was stopped, or the operator has ended. */
  readonly signal: AbortSignal;
  /** What of it was accepted since a place in the audit log, but for the pulse of its Lease. */
  readonly wrote: (since: number) => Promise<AuditEvent[]>;
}

export interface OperatorOptions {
  /** The api-manager's bundle. */
  readonly program: BundledProgram;
  /** A folder for a CPU profile of its whole life. */
  readonly profile?: string;
  readonly signal: AbortSignal;
}

/** Runs `work` beside an operator that has registered, and ends it. */
export async function withOperator<T>(
  ground: Ground,
  connection: Connection,
  ngrok: NgrokApi,
  { program, profile, signal }: OperatorOptions,
  work: (operator: Operator) => Promise<T>,
): Promise<T> {
  const { kubectl } = ground;
  await anInstall(connection, RELEASE, signal);
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-bench-login-"));
  try {
    await using leader = startLeader(ground, {
      program,
      release: RELEASE,
      policy: "Retain",
      ngrokUrl: ngrok.url,
      ngrokKey: KEY,
      nodeFlags: profileFlags(profile === undefined ? {} : { profile }),
      kubeconfig: await login(ground, folder),
    });
    const registered = ["-n", RELEASE.namespace, "wait", `kubernetesoperator/${RELEASE.name}`, "--timeout=60s"];
    await kubectl.run([...registered, "--for=create"], { timeout: 70_000, signal });
    await kubectl.run([...registered, "--for=condition=Ready"], { timeout: 70_000, signal });
    const over = new AbortController();
    const operator: Operator = {
      leader,
      signal: AbortSignal.any([signal, over.signal]),
      wrote: async (since) => wrote(await eventsSince(ground.auditLog, since)),
    };
    try {
      return await Promise.race([work(operator), leader.ended]);
    } finally {
      over.abort();
      await leader.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const LIVES = 20;

/** Resolves when an operator has done the work to its end: on a busy machine one may lose its Lease, and another goes on. */
export async function withOperators(
  ground: Ground,
  connection: Connection,
  ngrok: NgrokApi,
  options: OperatorOptions,
  work: (operator: Operator) => Promise<void>,
): Promise<void> {
  for (let life = 1; ; life += 1) {
    try {
      return await withOperator(ground, connection, ngrok, options, work);
    } catch (error) {
      if (options.signal.aborted || life === LIVES || !(error instanceof EndedEarly)) throw error;
    }
  }
}

/** A life that begins looks at all objects before its first write, which takes seconds for thousands of them. */
export const AFTER_A_START_MS = 15_000;

/** Resolves to what an operator wrote since, once it has neither written nor asked ngrok anything for `quietMs`. */
export async function atRest(
  { wrote, signal }: Operator,
  ngrok: NgrokApi,
  since: number,
  quietMs = 2_000,
): Promise<readonly AuditEvent[]> {
  for (let seen = ""; ;) {
    const events = await wrote(since);
    const now = `${events.length} ${ngrok.ledger.total}`;
    if (now === seen) return events;
    seen = now;
    await systemClock.sleep(quietMs, signal);
  }
}

/** For `wrote`: where the audit log ends now. */
export async function position({ auditLog }: Ground): Promise<number> {
  return await endOf(auditLog);
}

function wrote(events: readonly AuditEvent[]): AuditEvent[] {
  const by = `system:serviceaccount:${RELEASE.namespace}:${ACCOUNT}`;
  return writes(events).filter(({ user, objectRef }) => user.username === by && objectRef?.resource !== "leases");
}

/** How often each was written, as `patch cloudendpoints/status`; the most frequent first. */
export function byResource(events: readonly AuditEvent[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { verb, objectRef } of events) {
    const { resource = "?", subresource } = objectRef ?? {};
    const name = `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a));
}

interface Kubeconfig {
  readonly users: readonly { readonly name: string }[];
}

/** A kubeconfig of a ServiceAccount that may do everything, in the folder. */
async function login({ kubectl, kubeconfig }: Ground, folder: string): Promise<string> {
  const { namespace } = RELEASE;
  const name = `${namespace}-${ACCOUNT}`;
  const subject = { kind: "ServiceAccount", name: ACCOUNT, namespace };
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" };
  await kubectl.apply([
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: ACCOUNT, namespace } },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef,
      subjects: [subject],
    },
  ]);
  const token = await kubectl.run(["-n", namespace, "create", "token", ACCOUNT, "--duration=24h"]);
  const admin = parse(await readFile(kubeconfig, "utf8")) as Kubeconfig;
  const users = admin.users.map((user) => ({ ...user, user: { token: token.trim() } }));
  const path = join(folder, "kubeconfig");
  await writeFile(path, stringify({ ...admin, users }), { mode: 0o600 });
  return path;
}
