// What the chart granted in a scene on a real cluster, and what of it was used there, both from the API server's audit log:
// kept in the tools' cache, so that `npm run test:faults -- --rights` can say what no test of e2e and faults has used.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KubeObject } from "#kube/kind.ts";
import { cacheFolder } from "#tools/cache.ts";
import { type AuditEvent, writes } from "./audit.ts";
import { allows, askedFor, type Grant, grantsOf, isCovered, textOf } from "./rights.ts";

/** Texts of grants, with the scene's own names taken out of them. */
export interface RightsSeen {
  readonly granted: readonly string[];
  readonly used: readonly string[];
}

/** It has both hooks' rights in order to ask for each, and uses few (hooks/src/rehearsal/rights.test.ts). */
const REHEARSAL = /-rehearsal$/;

/** `id` is what a scene's namespaces end with. Only ServiceAccounts in `namespace` count. */
export function rightsSeen(events: readonly AuditEvent[], namespace: string, id: string): RightsSeen {
  const own = grantsOf(rightsMade(events, namespace)).filter(
    ({ account }) => account.startsWith(`${namespace}/`) && !REHEARSAL.test(account),
  );
  const asked = askedFor(events).filter(({ account }) => account.startsWith(`${namespace}/`));
  const used = own.filter((grant) => asked.some((one) => allows(grant, one)));
  const texts = (grants: readonly Grant[]): string[] =>
    [...new Set(grants.map((grant) => textOf(grant).replaceAll(`-${id}`, "")))].toSorted();
  // A wider grant beside it answers too: whether the narrow one was needed is for the contract of rights.
  return { granted: texts(own.filter((grant) => !isCovered(grant, own))), used: texts(used) };
}

/** Roles and bindings as they were made and changed, by POST, by apply or by a patch of what is in it. */
function rightsMade(events: readonly AuditEvent[], namespace: string): KubeObject[] {
  const made = new Map<string, KubeObject>();
  for (const { objectRef, requestObject, verb } of writes(events)) {
    if (objectRef?.apiGroup !== "rbac.authorization.k8s.io" || verb.startsWith("delete")) continue;
    const { resource, namespace: at, name } = objectRef;
    const given = requestObject as KubeObject | undefined;
    const called = name ?? given?.metadata.name ?? "";
    const key = `${resource} ${at ?? ""}/${called}`;
    made.set(key, {
      ...made.get(key),
      ...given,
      kind: KINDS[resource] ?? resource,
      metadata: { name: called, ...(at !== undefined && { namespace: at }) },
    } as KubeObject);
  }
  const whole = [...made.values()].filter((one) => "rules" in one || "roleRef" in one);
  return whole.filter((one) => !("roleRef" in one) || (isBoundHere(one, namespace) && hasRole(one, whole)));
}

const KINDS: Readonly<Record<string, string>> = {
  roles: "Role",
  clusterroles: "ClusterRole",
  rolebindings: "RoleBinding",
  clusterrolebindings: "ClusterRoleBinding",
};

/** Other scenes run on the same server, one after the other. */
function isBoundHere(binding: KubeObject, namespace: string): boolean {
  const { subjects = [] } = binding as { subjects?: readonly { readonly namespace?: string }[] };
  return subjects.some((subject) => subject.namespace === namespace);
}

function hasRole(binding: KubeObject, among: readonly KubeObject[]): boolean {
  const { roleRef } = binding as unknown as { roleRef: { readonly kind: string; readonly name: string } };
  return among.some(
    ({ kind, metadata }) =>
      kind === roleRef.kind &&
      metadata.name === roleRef.name &&
      (kind === "ClusterRole" || metadata.namespace === binding.metadata.namespace),
  );
}

function folderOf(product: string): string {
  return join(cacheFolder(), "rights", product);
}

/** `product` is that of the image and chart, `scene` the scene's own name. */
export async function keepRights(product: string, scene: string, seen: RightsSeen): Promise<void> {
  await mkdir(folderOf(product), { recursive: true });
  await writeFile(join(folderOf(product), `${scene}.json`), JSON.stringify(seen));
}

/** All that was granted in any scene of this product, what no scene has used, and how many scenes there were. */
export async function allRights(product: string): Promise<{ scenes: number; granted: number; unused: string[] }> {
  const files = await readdir(folderOf(product)).catch((): string[] => []);
  const granted = new Set<string>();
  const used = new Set<string>();
  for (const file of files) {
    const seen = JSON.parse(await readFile(join(folderOf(product), file), "utf8")) as RightsSeen;
    for (const text of seen.granted) granted.add(text);
    for (const text of seen.used) used.add(text);
  }
  const unused = [...granted].filter((text) => !used.has(text)).toSorted();
  return { scenes: files.length, granted: granted.size, unused };
}
