// What is said about objects that another release has stamped, and when nothing is.
import { describe, expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { holds } from "#api/conditions.ts";
import { DRAIN_OWNER } from "#api/keys.ts";
import type { Reader } from "#kube/reader.ts";
import { GatewayClass } from "#kube/kinds.ts";
import { aCloudEndpoint, aGatewayClass, aKubernetesOperator } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import type { ObjectEvent } from "./define-controller.ts";
import { openLog } from "./log.ts";
import { Strangers } from "./strangers.ts";
import { concerns } from "./wake.ts";

const release = { name: "edge", namespace: "ops", fullname: "edge" };
const served = { conditions: [{ ...holds("Ready", "CloudEndpointActive", "it is"), lastTransitionTime: "" }] };

/** An install beside `owners`; undefined: they cannot be seen. */
function besides(given: readonly string[] | undefined) {
  let owners = given;
  let hasRoom = true;
  const tell = (event: ObjectEvent): boolean => hasRoom && told.push(event) > 0;
  const clock = testClock();
  const told: ObjectEvent[] = [];
  const log: string[] = [];
  let lists = 0;
  const reader = {
    async *pages() {
      lists += 1;
      if (owners === undefined) throw new KnownError("invalid", "forbidden", { status: 403 });
      const items = owners.map((owner) => {
        const [namespace = "", name = ""] = owner.split("/");
        return aKubernetesOperator({ metadata: { namespace, name } });
      });
      yield await Promise.resolve({ items });
    },
  } as unknown as Reader;
  const lines = openLog({ level: "info", encoder: "json", secrets: [] }, { write: (line) => log.push(line) });
  const { signal } = new AbortController();
  const strangers = new Strangers({ reader, release, clock, log: lines, signal });
  const meet = async (name = "web", status?: typeof served, owner = "ops/old") => {
    const object = aCloudEndpoint({ metadata: { name, namespace: "shop", uid: name }, ...(status && { status }) });
    return await strangers.met(CloudEndpoint, object, owner, tell);
  };
  const meetClass = async (): Promise<void> => {
    const { metadata } = aGatewayClass({ metadata: { uid: "class" } });
    await strangers.met(GatewayClass, { metadata }, "ops/old", tell);
  };
  const now = (installed: readonly string[], room = true): void => void ([owners, hasRoom] = [installed, room]);
  return { clock, told, log, meet, meetClass, now, lists: () => lists, forget: (uid: string) => strangers.forget(uid) };
}

describe("an object of a release that is gone (F18)", () => {
  test("is named with its owner and the command that hands it over, at once", async () => {
    const { told, meet } = besides([]);
    expect(await meet("web", served)).toEqual({ is: "later", ms: 600_000 });
    expect(told).toEqual([
      {
        type: "Warning",
        reason: "OwnedByAnotherRelease",
        note: "Left alone: it belongs to release ops/old, which is not installed any more. To hand it over to ops/edge: kubectl -n shop annotate cloudendpoints web ngrok.com/drain-owner-",
        action: "Reconcile",
      },
    ]);
  });
  test("a GatewayClass, which has no namespace, is handed over by a command of its own", async () => {
    const { told, log, meetClass } = besides([]);
    await meetClass();
    const command = "kubectl annotate gatewayclasses ngrok ngrok.com/drain-owner-";
    expect(told.map(({ note }) => note)).toEqual([expect.stringMatching(new RegExp(`: ${command}$`))]);
    expect(log.map((line) => (JSON.parse(line) as { handOver: string }).handOver)).toEqual([command]);
  });
  test("is told of once, however often it is looked at, and again when its owner or that one's seat is another", async () => {
    const { clock, told, meet, now } = besides([]);
    const look = async (owner?: string): Promise<void> => {
      await meet("web", undefined, owner);
      await clock.advance(600_000);
    };
    for (let n = 0; n < 144; n += 1) await look();
    expect(told).toHaveLength(1);
    await look("ops/older");
    await look("ops/older");
    expect(told).toHaveLength(2);
    now(["ops/older"]);
    for (let n = 0; n < 3; n += 1) await look("ops/older");
    expect(told).toHaveLength(3);
  });
  test("is nothing that is remembered, once it is gone", async () => {
    const { told, meet, forget } = besides([]);
    await meet();
    forget("web");
    await meet();
    expect(told).toHaveLength(2);
  });
  test("for whose event there is no room is told of at the next look", async () => {
    const { told, meet, now } = besides([]);
    now([], false);
    await meet();
    now([]);
    await meet();
    expect(told).toHaveLength(1);
  });
  test("is one line of the log for each namespace, however many there are", async () => {
    const { told, log, meet, lists } = besides(["ops/edge"]);
    for (const name of ["a", "b", "c"]) await meet(name);
    expect([told.length, log.length, lists()]).toEqual([3, 1, 1]);
    expect(log[0]).toContain(
      "kubectl -n shop annotate domains,ippolicies,cloudendpoints,agentendpoints --all ngrok.com/drain-owner-",
    );
  });
});

describe("an object of a release that lives (F18)", () => {
  test("which that one serves is in order: one line, no event", async () => {
    const { told, log, meet } = besides(["ops/old"]);
    for (const name of ["a", "b", "c"]) await meet(name, served);
    expect([told.length, log.length]).toEqual([0, 1]);
  });
  test("which nobody serves, a copy for instance, is named after half a minute, and only itself is handed over", async () => {
    const { clock, told, log, meet } = besides(["ops/old"]);
    expect(await meet()).toEqual({ is: "later", ms: 30_000 });
    expect(told).toEqual([]);
    await clock.advance(30_000);
    await meet();
    expect(told[0]?.note).toContain("belongs to release ops/old, which is installed but does not serve it");
    expect(log[0]).toContain('"handOver":"kubectl -n shop annotate cloudendpoints web ngrok.com/drain-owner-"');
  });
});

test("where installs cannot be seen, that is said (F18)", async () => {
  const { told, meet } = besides(undefined);
  await meet("web", served);
  expect(told[0]?.note).toContain("whether that is installed cannot be seen from here");
});

test("that another release gives an object up wakes us, that we stamp it ourselves does not (F18)", () => {
  const stamped = (owner?: string) =>
    aCloudEndpoint({ metadata: { uid: "u", annotations: owner === undefined ? {} : { [DRAIN_OWNER]: owner } } });
  const wakes = (before?: string, after?: string) => concerns(stamped(before), stamped(after), release);
  expect([wakes("ops/old"), wakes("ops/old", "ops/edge"), wakes("ops/old", "ops/old")]).toEqual([true, true, false]);
  expect([wakes(undefined, "ops/edge"), wakes("ops/edge")]).toEqual([false, false]);
});

test("how long an object has not been served is remembered until it is, or is gone, and no longer", async () => {
  const { clock, told, meet, forget } = besides(["ops/old"]);
  for (const end of [async () => await meet("web", served), async () => await Promise.resolve(forget("web"))]) {
    await meet();
    await clock.advance(29_000);
    await end();
    expect(await meet()).toEqual({ is: "later", ms: 30_000 });
    forget("web");
  }
  expect(told).toEqual([]);
});
