// One object as it stands now, past every cache: what was listed may be minutes old when its turn comes.
import type { Kind, KubeObject, ObjectMeta } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";

/**
 * Undefined when it is gone, also where a namesake took its place. A list of one: outside of the watched namespace there is
 * the right to list alone.
 */
export async function lookAgain<T extends KubeObject>(
  kind: Kind<T>,
  at: ObjectMeta,
  read: Reader,
  signal: AbortSignal,
): Promise<T | undefined> {
  const options = { namespace: at.namespace, fieldSelector: `metadata.name=${at.name}` };
  for await (const { items } of read.pages(kind, options, signal)) {
    const found = items.find(({ metadata }) => metadata.uid === at.uid);
    if (found !== undefined) return found;
  }
  return undefined;
}
