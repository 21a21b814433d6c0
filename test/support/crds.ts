// Our CustomResourceDefinitions in an API server without Helm, for the tests of the tier `apiserver`.
import { setTimeout as delay } from "node:timers/promises";
import { ownKinds } from "#api/own-kinds.ts";
import type { Connection } from "#kube/connection.ts";
import { ABSENT, served } from "#kube/discovery.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { CustomResourceDefinition } from "#kube/kinds.ts";
import { reader } from "#kube/reader.ts";
import { writer } from "#kube/writer.ts";
import { crdObjects } from "#scripts/generate/crds.ts";
import { afterUninstall } from "#wire/fence.ts";
import { isClass } from "#wire/errors.ts";

const PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Servers that have named all of our kinds to this process. */
const named = new Set<string>();

/** Creates what is missing and resolves when all are served and named: a CRD is Established a moment after its creation. */
export async function installCrds(connection: Connection): Promise<void> {
  const signal = AbortSignal.timeout(120_000);
  const write = writer(connection, afterUninstall(signal));
  const names = crdObjects().map((crd) => (crd as KubeObject).metadata.name);
  for (const crd of crdObjects()) {
    await write.create(CustomResourceDefinition, crd as KubeObject, signal).then(
      () => void named.delete(connection.server),
      (error: unknown) => {
        if (!isClass(error, "conflict")) throw error;
      },
    );
  }
  const isServed = async (name: string): Promise<boolean> => {
    const crd = await reader(connection).get(CustomResourceDefinition, { name }, signal);
    return crd?.status?.conditions?.some(({ type, status }) => type === "Established" && status === "True") === true;
  };
  // Every event is a reason to look again; the first ones come at once.
  for await (const _ of connection.watch({ path: PATH, query: { watch: true, resourceVersion: "0" }, signal })) {
    const served = await Promise.all(names.map(isServed));
    if (served.every(Boolean)) break;
  }
  if (named.has(connection.server)) return;
  await discoverable(connection, ownKinds);
  named.add(connection.server);
}

/**
 * Resolves when discovery names all these kinds: it follows a CRD that is Established by up to a second on a busy
 * machine, and who asks before is told "absent" and remembers that for ten. Nothing that could be watched tells of it.
 */
export async function discoverable(connection: Connection, kinds: readonly Kind[]): Promise<void> {
  const signal = AbortSignal.timeout(120_000);
  for (const kind of kinds) {
    while ((await served(connection, kind, signal, { fresh: true })) === ABSENT)
      await delay(100, undefined, { signal });
  }
}
