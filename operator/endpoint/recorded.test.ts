// Who records an id of ngrok's: known from the watch, and beside the watched namespace from lists that many share.
import { expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import type { ListOptions, Reader } from "#kube/reader.ts";
import { aDomain } from "#test/support/builders.ts";
import { nothingCached } from "#test/support/cached.ts";
import { recordersOf, unrecorded } from "./recorded.ts";

const watched = { name: "ngrok", namespace: "ops", fullname: "ngrok", watchNamespace: "shop" };
const { signal } = new AbortController();
const recording = (name: string, namespace: string, id: string): Domain =>
  aDomain({ metadata: { name, namespace, uid: name, managedFields: [{ manager: "kubectl" }] }, status: { id } });

/** A cluster of two namespaces, and the lists that were asked of it, which the test answers. */
function aCluster() {
  const asked: ListOptions[] = [];
  const answers: (() => void)[] = [];
  const read = {
    async *pages(_: unknown, options: ListOptions) {
      asked.push(options);
      await new Promise<void>((resolve) => answers.push(resolve));
      yield { items: [recording("theirs", "team", "rd_1"), recording("more", "team", "rd_2"), aDomain()] };
    },
  } as unknown as Reader;
  const cached = {
    ...nothingCached,
    by: (_: unknown, index: string, id: string) =>
      index === "id" && id === "rd_1" ? [recording("web", "shop", id)] : [],
  } as unknown as typeof nothingCached;
  const of = async (id: string, clusterWide = true, release: Parameters<typeof recordersOf>[3] = watched) => {
    const found = await recordersOf(Domain, id, { cached, clusterWide, read }, release, signal);
    return found.map(({ metadata }) => metadata.name);
  };
  const free = async (ids: readonly string[], but?: string, clusterWide = true) => {
    const found = ids.map((id) => ({ id }));
    const left = await unrecorded(Domain, found, but, { cached, clusterWide, read }, watched, signal);
    return left.map(({ id }) => id);
  };
  return { asked, of, free, answer: () => answers.shift()?.() };
}

const turns = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

test("where one namespace is watched those beside it count too, and of 2,000 who ask at once one waits for a list of its own", async () => {
  const { asked, of, answer } = aCluster();
  const first = of("rd_1");
  const others = Promise.all(Array.from({ length: 2_000 }, async (_, n) => await of(`rd_${n % 3}`)));
  await turns();
  // What the watch shows is not asked for.
  expect(asked).toEqual([{ fieldSelector: "metadata.namespace!=shop" }]);
  answer();
  expect(await first).toEqual(["web", "theirs"]);
  await turns();
  expect(asked).toHaveLength(2);
  answer();
  expect((await others).slice(0, 3)).toEqual([[], ["web", "theirs"], ["more"]]);
  expect(asked).toHaveLength(2);
});

test("where all is watched, or nothing may be seen beside the namespace, nothing is listed", async () => {
  const { asked, of } = aCluster();
  const { watchNamespace: _, ...everywhere } = watched;
  expect(await of("rd_1", true, everywhere)).toEqual(["web"]);
  expect(await of("rd_1", false)).toEqual(["web"]);
  expect(asked).toEqual([]);
});

test("what the watch does not show may be recorded all the same: it is asked for past it, once for all", async () => {
  const { asked, free, answer } = aCluster();
  const first = free(["rd_1", "rd_2", "rd_3"]);
  await turns();
  const others = Promise.all(Array.from({ length: 2_000 }, async () => await free(["rd_2", "rd_3"], "more")));
  await turns();
  expect(asked).toEqual([{}]);
  answer();
  expect(await first).toEqual(["rd_3"]);
  await turns();
  answer();
  // Its own is not another's.
  expect((await others)[0]).toEqual(["rd_2", "rd_3"]);
  expect(asked).toHaveLength(2);
});

test("nobody asks where the watch shows whose all of it is, and none asks beside the namespace without the right to", async () => {
  const { asked, free, answer } = aCluster();
  expect(await free(["rd_1"])).toEqual([]);
  expect(await free([])).toEqual([]);
  expect(asked).toEqual([]);
  const left = free(["rd_2"], undefined, false);
  await turns();
  answer();
  await left;
  expect(asked).toEqual([{ namespace: "shop" }]);
});
