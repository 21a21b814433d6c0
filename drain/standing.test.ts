// A drain under Delete of Domains that share reservations at ngrok, with each other or with some that outlive it, by hands that
// only take notes.
import { expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { ADOPTED, DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Kind, KubeObject, Target } from "#kube/kind.ts";
import type { ListOptions, Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { jsonPatched } from "#test/model/patch.ts";
import { aCloudEndpoint, aDomain } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { FenceLost, KnownError } from "#wire/errors.ts";
import { drive, type Ending } from "./drive.ts";
import { PARALLEL } from "./execute.ts";
import { fold, newReport, type Report } from "./report.ts";
import { recordedEndpoints } from "./standing.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };

/** Of the install `owner`; `held: false` is what an uninstall under Retain leaves. */
function aHeld(
  name: string,
  id: string,
  { owner = "ops/ngrok", held = true, keeps = false, adopted = false } = {},
): Domain {
  const annotations = { [DRAIN_OWNER]: owner, ...(adopted ? { [ADOPTED]: "true" } : {}) };
  const metadata = { name, namespace: "shop", uid: `u-${name}`, annotations };
  return aDomain({
    metadata: { ...metadata, ...(held ? { finalizers: [FINALIZER] } : {}) },
    spec: { reclaimPolicy: keeps ? "Retain" : "Delete" },
    status: { id },
  });
}

interface Odds {
  /** How often the list of the whole kind fails when it is asked for a second time. */
  readonly failures?: number;
  /** Of how many objects the policy is Delete before a person relaxes it. */
  readonly relaxedAfter?: number;
  /** The run ends when it would let this one go, as if its process were killed. */
  readonly killedAt?: string;
}

/** Drains the Domains under Delete. */
async function drained(domains: readonly Domain[], { failures = 0, relaxedAfter = Infinity, killedAt }: Odds = {}) {
  const clock = testClock();
  const { signal } = new AbortController();
  const there = new Map(domains.map((one) => [one.metadata.name, one]));
  const reserved = new Set(domains.flatMap(({ status }) => status?.id ?? []));
  const removed: string[] = [];
  let [lists, left, patches] = [0, failures, 0];
  const read: Pick<Reader, "pages"> = {
    async *pages(kind: Kind, { fieldSelector }: ListOptions) {
      const items = kind.plural === Domain.plural ? [...there.values()] : [];
      if (kind.plural === Domain.plural && fieldSelector === undefined) lists += 1;
      if (lists > 1 && left > 0 && kind !== KubernetesOperator) {
        left -= 1;
        throw new KnownError("transient", "the list failed");
      }
      const found = items.filter(
        (one) => fieldSelector === undefined || fieldSelector.endsWith(`=${one.metadata.name}`),
      );
      // Of whatever kind is asked for; only Domains ever are.
      yield await Promise.resolve({ items: found as KubeObject[] as never, resourceVersion: "1" });
    },
  };
  const change = (name: string, more: Partial<Domain["metadata"]>): void => {
    const object = there.get(name);
    if (object !== undefined) there.set(name, { ...object, metadata: { ...object.metadata, ...more } });
  };
  const write: Pick<Writer, "remove" | "removeFinalizer" | "patch"> = {
    remove({ ref: { name } }: Target) {
      change(name, { deletionTimestamp: "2026-01-01T00:00:00Z" });
      return Promise.resolve("deleted");
    },
    removeFinalizer({ ref: { name } }: Target) {
      if (name === killedAt) return Promise.reject(new FenceLost("killed"));
      // Under Retain the object stays.
      if (there.get(name)?.metadata.deletionTimestamp === undefined) change(name, { finalizers: [] });
      else there.delete(name);
      return Promise.resolve("removed");
    },
    patch(_kind, { name }, _uid, operations) {
      patches += 1;
      const object = there.get(name);
      if (object !== undefined) there.set(name, jsonPatched(object, operations));
      // Of the caller's kind, which is Domain alone.
      return Promise.resolve(object as never);
    },
  };
  const remove = (id: string) => {
    removed.push(id);
    return Promise.resolve(reserved.delete(id) ? "deleted" : "gone");
  };
  const hands = {
    // Reader and writer stand for the connection: nothing here goes past them.
    connection: {} as never,
    read: read as Reader,
    write: write as Writer,
    ngrok: { domains: { remove } } as unknown as NgrokPort,
    fence: { signal, assertMayWrite() {} },
    clock,
  };
  const report: Report = newReport();
  let asked = 0;
  const policy = () => ((asked += 1) > relaxedAfter ? "Retain" : "Delete");
  const events = drive({ hands, release, clusterWide: true, policy, budgetMs: 60_000, signal });
  const toItsEnd = async (): Promise<Ending> => {
    for (let next = await events.next(); ;) {
      if (next.done === true) return next.value;
      fold(report, next.value);
      const coming = events.next();
      if (next.value.is === "waiting") await clock.advance(next.value.ms);
      next = await coming;
    }
  };
  const ending = await toItsEnd().catch((error: unknown) => {
    if (error instanceof FenceLost) return "killed";
    throw error;
  });
  return { ending, report, reserved: [...reserved], removed, lists, patches, left: [...there.values()] };
}

test("of two of ours that go at once the first gives the reservation back, and the second is told that it is gone", async () => {
  const { ending, report, reserved, removed } = await drained([aHeld("a", "rd_1"), aHeld("b", "rd_1")]);
  expect({ ending, reserved, removed }).toEqual({ ending: "clean", reserved: [], removed: ["rd_1", "rd_1"] });
  expect(report.removed).toEqual(["domain shop/a rd_1", "domain shop/b rd_1: ngrok did not have it any more"]);
  expect(report.kept).toEqual([]);
});

/** As many as go at once: who comes after them is planned when the first is gone. */
const between = Array.from({ length: PARALLEL - 1 }, (_, n) => aHeld(`d-${n}`, `rd_d${n}`));

test("relaxed to Retain between two of ours: the first has left the reservation to the second, which keeps it", async () => {
  const domains = [aHeld("a", "rd_1"), ...between, aHeld("b", "rd_1")];
  const { ending, report, reserved } = await drained(domains, { relaxedAfter: PARALLEL });
  expect({ ending, reserved }).toEqual({ ending: "clean", reserved: ["rd_1"] });
  expect(report.removed).toContain("domain shop/a");
  expect(report.kept).toEqual(["domain shop/b rd_1"]);
});

test.for([false, true])(
  "without that none is left behind, also if the second has found it there: %s",
  async (adopted, { expect }) => {
    const { ending, reserved } = await drained([aHeld("a", "rd_1"), ...between, aHeld("b", "rd_1", { adopted })]);
    expect({ ending, reserved }).toEqual({ ending: "clean", reserved: [] });
  },
);

test.for([
  ["first", ["keeps", "a"]],
  ["last", ["a", "keeps"]],
] as const)("where one of ours wants it kept it is kept, also if that one comes %s", async ([, names], { expect }) => {
  const domains = names.map((name) => aHeld(name, "rd_1", { keeps: name === "keeps" }));
  const { ending, report, reserved } = await drained(domains);
  expect({ ending, reserved, removed: report.removed }).toEqual({ ending: "clean", reserved: ["rd_1"], removed: [] });
  expect(report.kept).toContain("domain shop/keeps rd_1: its reclaimPolicy is Retain");
  expect(report.kept).toContain(
    "domain shop/a rd_1: the reclaimPolicy of Domain shop/keeps, which shares it, is Retain",
  );
});

test("also if the run is killed when that one has gone, and the next run finds the other alone", async () => {
  const domains = [aHeld("keeps", "rd_1", { keeps: true }), aHeld("a", "rd_1")];
  const { ending, left } = await drained(domains, { killedAt: "a" });
  expect({ ending, left: left.map(({ metadata }) => metadata.name) }).toEqual({ ending: "killed", left: ["a"] });
  const { report, reserved } = await drained(left);
  expect(reserved).toEqual(["rd_1"]);
  expect(report.kept).toEqual([
    "domain shop/a rd_1: the reclaimPolicy of Domain shop/keeps, which shares it, is Retain",
  ]);
});

test.for([
  [false, 1],
  [true, 0],
] as const)("who shares it is told once, told before: %s", async ([adopted, told], { expect }) => {
  const { patches } = await drained([aHeld("keeps", "rd_1", { keeps: true }), aHeld("a", "rd_1", { adopted })]);
  expect(patches).toBe(told);
});

test.for([
  ["another install's", {}],
  ["one that an earlier install's uninstall kept", { held: false }],
] as const)("what %s stands for stays at ngrok, and the report says so", async ([, how], { expect }) => {
  const theirs = aHeld("theirs", "rd_1", { owner: "team/ngrok", ...how });
  const { ending, report, reserved } = await drained([aHeld("a", "rd_1"), theirs, aHeld("b", "rd_2")]);
  expect({ ending, reserved }).toEqual({ ending: "clean", reserved: ["rd_1"] });
  expect(report.kept).toEqual(["domain shop/a rd_1: Domain shop/theirs of team/ngrok stands for it as well"]);
  expect(report.removed).toEqual(["domain shop/b rd_2"]);
});

test("they are listed once a pass, however many Domains there are", async () => {
  const { lists } = await drained(Array.from({ length: 40 }, (_, n) => aHeld(`d-${n}`, `rd_${n}`)));
  // Twice in the pass that finds them, once in the one that finds none.
  expect(lists).toBe(3);
});

test("while they cannot be listed nothing is let go: it is asked again", async () => {
  const theirs = aHeld("theirs", "rd_1", { owner: "team/ngrok" });
  const { ending, report, reserved } = await drained([aHeld("a", "rd_1"), theirs], { failures: 1 });
  expect({ ending, reserved, passes: report.passes > 2 }).toEqual({
    ending: "clean",
    reserved: ["rd_1"],
    passes: true,
  });
  expect(report.kept).toHaveLength(1);
});

test("of endpoints whose ids got lost each asks whether another records what it has found: one list a pass answers all", async () => {
  let lists = 0;
  const read: Pick<Reader, "pages"> = {
    async *pages() {
      lists += 1;
      const items = [
        aCloudEndpoint({ metadata: { uid: "u-web" }, status: { id: "ep_1" } }),
        aCloudEndpoint(),
        aCloudEndpoint({ status: { id: "" } }),
      ];
      // Of whatever kind is asked for; only CloudEndpoints ever are.
      yield await Promise.resolve({ items: items as KubeObject[] as never, resourceVersion: "1" });
    },
  };
  const records = recordedEndpoints(read as Reader, { release, clusterWide: true });
  const { signal } = new AbortController();
  expect(lists).toBe(0);
  const ids = ["ep_1", "ep_2", ""];
  expect(await Promise.all(ids.map(async (id) => await records(id, "u-asks", signal)))).toEqual([true, false, false]);
  // What it records itself, since a moment ago, is its own.
  expect(await records("ep_1", "u-web", signal)).toBe(false);
  expect(lists).toBe(1);
});
