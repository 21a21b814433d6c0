// Between the list and an object's turn minutes may pass, where ngrok is slow or its calls are limited. What people have said
// of the object by then is obeyed; an object that changes all the time is drained all the same.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { Service } from "#kube/kinds.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import type { ListOptions, Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import { aService } from "#test/support/builders.ts";
import { type HookRig, hookRig, release } from "#test/support/hook-rig.ts";
import { conduct, type Conclusion } from "./conduct.ts";
import { leftAlone } from "./report.ts";

const { signal } = new AbortController();
const at = { name: "shop-1", namespace: "shop" };
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await rig.reset();
  await rig.domains(1);
});

const patch = async (what: string, body: object): Promise<string> =>
  await rig.kubectl("patch", what, "-n", "shop", "--type=merge", "-p", JSON.stringify(body));
const keep = async (): Promise<string> => await patch("domain/shop-1", { spec: { reclaimPolicy: "Retain" } });
const handOver = async (what: string): Promise<string> =>
  await patch(what, { metadata: { annotations: { [DRAIN_OWNER]: "team/ngrok" } } });
const domain = async (): Promise<Domain | undefined> => await rig.read.get(Domain, at, signal);

/** Drains under Delete; `change` happens when the first list of `kind` has been read. */
async function drain(kind: Kind, change: () => Promise<unknown>, write: Partial<Writer> = {}): Promise<Conclusion> {
  let listed = false;
  const read: Reader = {
    ...rig.hands.read,
    async *pages<T extends KubeObject>(of: Kind<T>, options: ListOptions, until: AbortSignal) {
      for await (const page of rig.hands.read.pages(of, options, until)) {
        if (of.plural === kind.plural && !listed) {
          listed = true;
          await change();
        }
        yield page;
      }
    },
  };
  const hands = { ...rig.hands, read, write: { ...rig.hands.write, ...write } };
  const work = { hands, release, clusterWide: true, budgetMs: 60_000, signal, driver: "hook" } as const;
  return await conduct({ ...work, policy: () => "Delete" });
}

test("a Domain that is to be kept since it was listed goes, and its reservation stays", async () => {
  const { ending, report } = await drain(Domain, keep);
  expect({ ending, remote: rig.api.remote(), there: await domain() }).toEqual({
    ending: "clean",
    remote: 1,
    there: undefined,
  });
  expect(report.kept).toEqual([expect.stringMatching(/^domain shop\/shop-1 rd_\S+: its reclaimPolicy is Retain$/)]);
});

test("also when it was being deleted already, so that there is no DELETE to send", async () => {
  await rig.kubectl("delete", "domain/shop-1", "-n", "shop", "--wait=false");
  const { ending, report } = await drain(Domain, keep);
  expect({ ending, remote: rig.api.remote(), kept: report.kept.length }).toEqual({
    ending: "clean",
    remote: 1,
    kept: 1,
  });
});

test("one that was handed to another install since it was listed is left to it (F18)", async () => {
  const { ending, report } = await drain(Domain, async () => await handOver("domain/shop-1"));
  expect({ ending, remote: rig.api.remote(), done: report.done }).toEqual({ ending: "clean", remote: 1, done: 0 });
  expect(leftAlone(report)).toEqual([{ object: "domain shop/shop-1", why: "another install owns it: team/ngrok" }]);
  expect((await domain())?.metadata).toMatchObject({ finalizers: [FINALIZER] });
  expect((await domain())?.metadata.deletionTimestamp).toBeUndefined();
});

test("the reserved address of a Service that was handed over since stays as well (F18)", async () => {
  await rig.api.add("reserved_addrs", { metadata: JSON.stringify({ namespace: "shop", name: "tcp" }) });
  const addr = String(rig.api.objects("reserved_addrs")[0]?.["addr"]);
  const annotations = { [DRAIN_OWNER]: "ops/ngrok", "ngrok.com/computed-url": `tcp://${addr}` };
  const metadata = { name: "tcp", namespace: "shop", finalizers: [FINALIZER], annotations };
  await rig.write.create(Service, aService({ metadata }), signal);
  const { ending } = await drain(Service, async () => await handOver("service/tcp"));
  const left = await rig.read.get(Service, { name: "tcp", namespace: "shop" }, signal);
  await patch("service/tcp", { metadata: { finalizers: null } });
  await rig.kubectl("delete", "service/tcp", "-n", "shop");
  expect({ ending, addresses: rig.api.objects("reserved_addrs").length }).toEqual({ ending: "clean", addresses: 1 });
  expect(left?.metadata.finalizers).toEqual([FINALIZER]);
});

test("one that somebody writes before each DELETE is drained in the same pass", async () => {
  let writes = 0;
  const remove: Writer["remove"] = async (...args) => {
    writes += 1;
    await patch("domain/shop-1", { metadata: { annotations: { "acme.io/heartbeat": `${writes}` } } });
    return await rig.hands.write.remove(...args);
  };
  const { ending, report } = await drain(Domain, async () => await Promise.resolve(), { remove });
  expect({ ending, remote: rig.api.remote(), passes: report.passes, there: await domain() }).toEqual({
    ending: "clean",
    remote: 0,
    passes: 2,
    there: undefined,
  });
});

test("one whose finalizer somebody takes off in between is nobody's to delete", async () => {
  const strip = async (): Promise<string> => await patch("domain/shop-1", { metadata: { finalizers: null } });
  const { ending, report } = await drain(Domain, strip);
  expect({ ending, remote: rig.api.remote(), done: report.done }).toEqual({ ending: "clean", remote: 1, done: 0 });
  expect((await domain())?.metadata.deletionTimestamp).toBeUndefined();
});
