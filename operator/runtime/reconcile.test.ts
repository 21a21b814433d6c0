// The promises of one reconcile, with hands that only take notes.
import { describe, expect, test } from "vitest";
import type { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { ADOPTED, DRAIN_OWNER, FINALIZER_CANONICAL, KEPT_WITH } from "#api/keys.ts";
import { Ingress } from "#kube/kinds.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { aReconcile, claimed, deleting, type Setup, shown } from "#test/support/one-reconcile.ts";
import { KnownError } from "#wire/errors.ts";
import { done, failed, type Outcome, stop, wait } from "./define-controller.ts";

describe("an object that is there", () => {
  test("is claimed before anything else, then worked on, then shown", async () => {
    const { did, work } = aReconcile();
    expect(await work()).toEqual({ is: "done" });
    expect(did).toEqual(["claim", "apply", "status"]);
  });

  test("of which nothing is new costs no write at all", async () => {
    const { did, work } = aReconcile();
    await work();
    did.length = 0;
    await work();
    expect(did).toEqual(["apply"]);
  });

  test("that waits has nothing at ngrok yet, as long as whoever claimed it has begun nothing", async () => {
    const outcomes: Outcome<CloudEndpoint>[] = [wait(500, "its Domain is being reserved")];
    const { contexts, work } = aReconcile({
      async apply({ begin }) {
        const waits = outcomes.shift();
        if (waits === undefined) await begin("create");
        return waits ?? failed(new KnownError("transient", "lost", { code: "Ambiguous" }));
      },
    });
    for (let n = 0; n < 3; n += 1) await work();
    expect(contexts.map((context) => context.claimed)).toEqual(["now", "now", "before"]);
  });

  test("that was claimed before may have something at ngrok, also when an earlier release claimed it without a stamp", async () => {
    const left = aReconcile({ object: claimed });
    await left.work();
    expect(left.contexts[0]?.claimed).toBe("before");
    const old = aReconcile({
      object: { metadata: { uid: "u", resourceVersion: "1", finalizers: [FINALIZER_CANONICAL] } },
    });
    await old.work();
    expect(old.did).toContain("claim");
    expect(old.contexts[0]?.claimed).toBe("before");
  });

  test("whose claim a manifest has brought along has nothing at ngrok, until something is begun for it or said of it", async () => {
    const byKubectl = { ...claimed, metadata: { ...claimed.metadata, managedFields: [] } };
    const brought = aReconcile({
      object: claimed,
      latest: aCloudEndpoint(byKubectl),
      async apply({ begin }) {
        await begin("create");
        return failed(new KnownError("transient", "lost", { code: "Ambiguous" }));
      },
    });
    await brought.work();
    // Said before it is begun, since the next process knows only what is written.
    expect(brought.did.slice(0, 3)).toEqual(["apply", "status", "Creating"]);
    await brought.work();
    expect(brought.contexts.map((context) => context.claimed)).toEqual(["now", "before"]);
    const told = aReconcile({ object: { ...claimed, status: {} }, latest: aCloudEndpoint(byKubectl) });
    await told.work();
    expect(told.contexts[0]?.claimed).toBe("before");
  });

  test("whose creation was begun is looked up from then on, in a list that is younger than the attempt", async () => {
    const { contexts, work, clock } = aReconcile({
      apply: async ({ begin }) => {
        await begin("create");
        return failed(new KnownError("transient", "lost", { code: "Ambiguous" }));
      },
    });
    await clock.advance(100);
    await work();
    await work();
    expect(contexts.map(({ claimed: when, asOf }) => [when, asOf])).toEqual([
      ["now", 7],
      ["before", 100],
    ]);
  });

  test.for([
    ["deleted", "gone" as const],
    ["made anew", aCloudEndpoint({ metadata: { ...claimed.metadata, uid: "v" } })],
    ["freed", aCloudEndpoint({ metadata: { uid: "u", resourceVersion: "9" } })],
  ] as const)("makes nothing at ngrok for an object that a drain has %s while the watch lagged", async ([, latest]) => {
    let made = false;
    const { did, work } = aReconcile({
      object: claimed,
      latest,
      async apply({ begin }) {
        await begin("create");
        made = true;
        return done({ shown });
      },
    });
    expect(await work()).toEqual({ is: "done" });
    expect({ made, did }).toEqual({ made: false, did: ["apply"] });
  });

  test("remembers what was sent until something fails", async () => {
    const outcomes: Outcome<CloudEndpoint>[] = [
      done({ sent: "a" }),
      done({ sent: "a" }),
      failed(new KnownError("transient", "x")),
    ];
    const { contexts, work } = aReconcile({ apply: () => outcomes.shift() ?? done({}) });
    const unchanged: boolean[] = [];
    for (let n = 0; n < 4; n += 1) {
      await work();
      unchanged.push(contexts[n]?.unchanged("a") ?? false);
    }
    // Asked after each outcome: the closing one has already been taken in.
    expect(unchanged).toEqual([true, true, false, false]);
  });

  test.for<[string, Setup, Record<string, string>, boolean]>([
    ["by a person is looked at again at ngrok", {}, { "team.example.com/look": "again" }, false],
    ["by us is not", {}, { [ADOPTED]: "true", [KEPT_WITH]: "shop/web" }, true],
    ["by kubectl is not", {}, { "kubectl.kubernetes.io/last-applied-configuration": "{}" }, true],
    [
      "and of a user's kind is not, since programs annotate those all the time",
      { controller: { kind: Ingress as never } },
      { "field.example.com/endpoints": "[]" },
      true,
    ],
  ])("that is annotated %s", async ([, setup, annotations, unchanged], { expect }) => {
    const seen: boolean[] = [];
    const apply: Setup["apply"] = (context) => {
      seen.push(context.unchanged("a"));
      return done({ sent: "a" });
    };
    const { store, work } = aReconcile({ ...setup, object: claimed, apply });
    await work();
    const { metadata } = claimed;
    const after = { ...metadata, resourceVersion: "9", annotations: { ...metadata.annotations, ...annotations } };
    store.put(aCloudEndpoint({ metadata: after }));
    await work();
    await work();
    expect(seen).toEqual([false, unchanged, true]);
  });

  test("that must have no claim loses the one it has", async () => {
    const { did, work } = aReconcile({ object: claimed, controller: { claims: () => false } });
    await work();
    expect(did).toEqual(["free", "apply", "status"]);
  });

  test("that asks for nothing of ours any more says nothing of us before it is let go, unless it goes itself or a drain frees it", async () => {
    const controller = { claims: () => false, letsGo: true, takesBack: () => ({ status: { id: "" } }) };
    const object = { ...claimed, status: { id: "ep_1" } };
    const { did, work } = aReconcile({ object, controller });
    await work();
    expect(did.slice(1)).toEqual(["cleanup", "status", "free", "Deleted"]);
    const refused = aReconcile({ object, controller, statusError: new KnownError("transient", "later") });
    await refused.work();
    expect(refused.did).not.toContain("free");
    const goes = aReconcile({ object: { ...deleting, status: { id: "ep_1" } }, controller });
    await goes.work();
    expect(goes.did).toEqual(["Deleting", "cleanup", "free", "Deleted"]);
    const drained = aReconcile({ object, controller, phase: "Draining" });
    await drained.work();
    expect(drained.did).toEqual([]);
  });

  test.for<[string, Setup]>([
    ["a drain", { phase: "Draining" }],
    ["our stopping", { stopping: true }],
    ["not being ours to serve", { controller: { serves: () => false } }],
  ])("is left alone because of %s", async ([, setup], { expect }) => {
    const { did, work } = aReconcile(setup);
    expect(await work()).toEqual({ is: "done" });
    expect(did).toEqual([]);
  });
});

describe("the switch from outcome to queue", () => {
  const refused = new KnownError("invalid", "no", { status: 400 });
  const flaky = new KnownError("transient", "later", { status: 503 });
  test.for([
    ["done", done<CloudEndpoint>(), { is: "done" }, []],
    ["wait", wait<CloudEndpoint>(500, "Provisioning"), { is: "later", ms: 500 }, []],
    ["stop", stop<CloudEndpoint>("ConfigError", "mend it"), { is: "later", ms: 600_000 }, []],
    ["a transient failure", failed<CloudEndpoint>(flaky), { is: "retry", error: flaky }, ["CreateError"]],
    ["a refusal", failed<CloudEndpoint>(refused), { is: "later", ms: 600_000 }, ["CreateError"]],
  ] as const)("%s", async ([, outcome, next, told], { expect }) => {
    const { did, work } = aReconcile({ object: claimed, apply: () => outcome });
    expect(await work()).toEqual(next);
    expect(did).toEqual(["apply", ...told]);
  });

  test("what is thrown is a failure like any other", async () => {
    const { did, work } = aReconcile({ object: claimed, apply: () => Promise.reject(flaky) });
    expect(await work()).toEqual({ is: "retry", error: flaky });
    expect(did).toEqual(["apply", "CreateError"]);
  });

  test("what was begun is told with its end", async () => {
    const { did, work } = aReconcile({
      object: claimed,
      async apply({ begin }) {
        await begin("update");
        return done({ shown });
      },
    });
    await work();
    expect(did).toEqual(["apply", "Updating", "Updated", "status"]);
  });

  test("a status that cannot be written is tried again and told, a conflict only tried again", async () => {
    const broken = aReconcile({ object: claimed, statusError: flaky });
    expect(await broken.work()).toEqual({ is: "retry", error: flaky });
    expect(broken.did).toEqual(["apply", "status", "StatusError"]);
    const conflict = new KnownError("conflict", "changed");
    const rivalled = aReconcile({ object: claimed, statusError: conflict });
    expect(await rivalled.work()).toEqual({ is: "retry", error: conflict });
    expect(rivalled.did).toEqual(["apply", "status"]);
  });
});

describe("an object that is being deleted", () => {
  test("is cleaned up, then let go", async () => {
    const { did, work } = aReconcile({ object: deleting });
    expect(await work()).toEqual({ is: "done" });
    expect(did).toEqual(["Deleting", "cleanup", "free", "Deleted"]);
  });

  test("keeps its finalizer when the cleanup throws, even what only a person can mend (W4)", async () => {
    const error = new KnownError("invalid", "forbidden", { status: 403 });
    const { did, work } = aReconcile({ object: deleting, cleanup: () => Promise.reject(error) });
    expect(await work()).toEqual({ is: "retry", error });
    expect(did).toEqual(["Deleting", "cleanup", "DeleteError"]);
  });

  test.for([
    ["terminating", "it is being deleted", ", terminating"],
    ["unknown", "forbidden", ""],
  ] as const)("is held while its CRD is %s", async ([is, why, said], { expect }) => {
    const { did, work } = aReconcile({ object: deleting, standing: { is, why } });
    expect(await work()).toEqual({ is: "later", ms: 10_000 });
    expect(did).toEqual([`held: ${why}${said}`]);
  });

  test.for<[string, Setup]>([
    ["a drain: then the driver frees it", { phase: "Draining" }],
    ["our stopping: no cleanup starts after SIGTERM", { stopping: true }],
    ["carrying nothing of ours", { object: { metadata: { ...deleting.metadata, finalizers: ["other"] } } }],
  ])("is left alone because of %s", async ([, setup], { expect }) => {
    const { did, work } = aReconcile({ object: deleting, ...setup });
    expect(await work()).toEqual({ is: "done" });
    expect(did).toEqual([]);
  });
});

test.for<[string, Setup]>([
  ["that is there", { object: claimed }],
  ["that is being deleted", { object: deleting }],
])(
  "another install's object %s is not touched, and nobody is silent about it (F18)",
  async ([, { object }], { expect }) => {
    const annotations = { [DRAIN_OWNER]: "other/ngrok" };
    const theirs = { metadata: { ...object?.metadata, annotations } };
    const { did, work } = aReconcile({ object: theirs });
    expect(await work()).toEqual({ is: "later", ms: 1 });
    expect(did).toEqual(["stranger other/ngrok"]);
    const draining = aReconcile({ object: theirs, phase: "Draining" });
    await draining.work();
    expect(draining.did).toEqual([]);
  },
);

describe("an object without a spec, as a loose schema may have stored it", () => {
  test("is not worked on, which is told once and not at each look, and goes freely", async () => {
    const there = aReconcile({ object: { ...claimed, spec: undefined } });
    expect(await there.work()).toEqual({ is: "done" });
    expect(there.did).toEqual(["ConfigError"]);
    there.distrust();
    await there.work();
    expect(there.did).toEqual(["ConfigError"]);
    const going = aReconcile({ object: { ...deleting, spec: undefined } });
    expect(await going.work()).toEqual({ is: "done" });
    expect(going.did).toEqual(["free"]);
  });
});
