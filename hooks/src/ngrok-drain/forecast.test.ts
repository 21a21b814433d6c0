// The forecast as people and programs read it: readiness, blockers, time.
import { describe, expect, test } from "vitest";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { countPage, type KindCount, newDryRun } from "#drain/dry-run.ts";
import { rows } from "#drain/kinds.ts";
import { find } from "#drain/plan.ts";
import { tallyOf, uninstallReadiness } from "#drain/readiness.ts";
import type { KubeObject } from "#kube/kind.ts";
import { someAnswers } from "#test/support/answers.ts";
import { KnownError } from "#wire/errors.ts";
import { forecastOf } from "./forecast.ts";
import { forecastPage } from "./forecast-page.ts";

function kind(name: string, numbers: Partial<KindCount>): [string, KindCount] {
  const row = rows.find((one) => one.kind.kind === name)!;
  return [name, { row, finalizer: 0, ours: 0, calls: 0, remoteDeleted: 0, remoteKept: new Map(), ...numbers }];
}

test("the page shows both policies side by side", () => {
  const kept = new Map([["its reclaimPolicy is Retain", 8]]);
  const kinds = new Map([
    kind("Ingress", { ours: 31, finalizer: 31 }),
    kind("CloudEndpoint", { ours: 60, finalizer: 60, calls: 60, remoteDeleted: 60 }),
    kind("Domain", { ours: 30, finalizer: 31, calls: 22, remoteDeleted: 22, remoteKept: kept }),
  ]);
  const run = { ...newDryRun(), kinds, left: new Map([["domain team/x", "another install owns it"]]) };
  expect(forecastPage(forecastOf(someAnswers({ run })))).toEqual([
    "release ops/ngrok  policy Retain (from the chart)  CRDs kept",
    "KIND           OURS  FINALIZER  UNDER Retain           UNDER Delete",
    "Ingress          31         31  stays, finalizer off   same",
    "CloudEndpoint    60         60  stays, endpoint stays  deleted; at ngrok 60 deleted",
    "Domain           30         31  stays, domain stays    deleted; at ngrok 22 deleted, 8 kept: its reclaimPolicy is Retain",
    "Left alone (1)",
    "  domain team/x    another install owns it",
    "Time      the drain alone about 4s under Retain, 46s under Delete; Helm's timeout of 300s is enough",
    "calls     to ngrok: at most 1 under Retain, 84 under Delete (reckoned at 120 a minute)",
    "Ready     Retain: yes. Delete: yes",
    "Nothing was changed.",
  ]);
  const unlimited = forecastOf(someAnswers({ run, callsPerMinute: undefined }));
  expect(unlimited.callsPerMinute).toBe(0);
  expect(forecastPage(unlimited).slice(-4, -2)).toEqual([
    "Time      the drain alone about 4s under Retain, 4s under Delete; Helm's timeout of 300s is enough",
    "calls     to ngrok: at most 1 under Retain, 84 under Delete (reckoned without a limit; ngrokApi.callsPerMinute sets one)",
  ]);
});

describe("of one cluster the condition UninstallReady says the same", () => {
  const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
  const { signal } = new AbortController();
  const spec = { domain: "a.example.com", url: "https://a.example.com", target: { service: "a", namespace: "shop" } };
  // Each of them asks ngrok for another number of calls, none among them.
  const parts: readonly [kind: string, object: object, annotations?: Record<string, string>][] = [
    ["Domain", { spec, status: { id: "rd_1" } }],
    ["Domain", { spec: { ...spec, reclaimPolicy: "Retain" }, status: { id: "rd_2" } }],
    ["CloudEndpoint", { spec }],
    ["BoundEndpoint", { spec }],
    ["Service", {}, { "k8s.ngrok.com/computed-url": "tcp://1.tcp.ngrok.io:1" }],
    ["Service", {}],
    ["Ingress", {}],
  ];
  const kinds = parts.map(([name, object, more]) => {
    const row = rows.find(({ kind: { kind: one } }) => one === name)!;
    const annotations = { [DRAIN_OWNER]: "ops/ngrok", ...more };
    const metadata = { name: "a", namespace: "shop", uid: "u", finalizers: [FINALIZER], annotations };
    return { row, objects: Array.from({ length: 200 }, (): KubeObject => ({ ...object, metadata })) };
  });

  test.for([
    ["Delete", undefined, "Helm's timeout of 30s: NothingInTheWay, is enough"],
    ["Delete", 120, "Helm's timeout of 30s: cleanupHook.timeout=660, cleanupHook.timeout=660"],
    ["Delete", 600, "Helm's timeout of 30s: cleanupHook.timeout=240, cleanupHook.timeout=240"],
    ["Retain", 120, "Helm's timeout of 30s: NothingInTheWay, is enough"],
    // The farewell alone takes a minute.
    ["Retain", 1, "Helm's timeout of 30s: cleanupHook.timeout=180, cleanupHook.timeout=180"],
  ] as const)("under %s with a limit of %s", async ([policy, callsPerMinute, both]) => {
    const run = newDryRun();
    for (const { row, objects } of kinds)
      await countPage(run, { row, found: find(row, objects, { release, others: "none" }) }, release, signal);
    const inForce = { policy, from: "the chart" } as const;
    const page = forecastPage(forecastOf(someAnswers({ run, inForce, callsPerMinute, helmSeconds: 30 })));
    const settings = { policy, crdsGo: false, hook: true, helmSeconds: 30, callsPerMinute, registered: true };
    const yes = { is: "yes" } as const;
    const tally = await tallyOf(kinds, release, signal);
    const { reason, message } = uninstallReadiness({ release, ...settings, tally, key: yes, rights: yes, room: yes });

    const timeout = /cleanupHook\.timeout=\d+/;
    const condition = timeout.exec(message)?.[0] ?? reason;
    const planned = timeout.exec(page.join("\n"))?.[0] ?? "is enough";
    expect(`Helm's timeout of 30s: ${condition}, ${planned}`).toBe(both);
  });
});

describe("readiness", () => {
  const foreign = new Map([["domain shop/a", ["acme.io/hold"]]]);
  test("a foreign finalizer blocks what deletes the object: Delete, and either policy where the CRDs go", () => {
    const run = { ...newDryRun(), foreign };
    expect(forecastOf(someAnswers({ run })).ready).toEqual({ Retain: "yes", Delete: "no" });
    expect(forecastOf(someAnswers({ run, crdsGo: true })).ready).toEqual({ Retain: "no", Delete: "no" });
  });
  test("what could not be listed is unknown under both, and a blocker is told before an unknown", () => {
    const unknown = new Map([["domains.ingress.k8s.ngrok.com", new KnownError("transient", "503")]]);
    expect(forecastOf(someAnswers({ run: { ...newDryRun(), unknown } })).ready).toEqual({
      Retain: "unknown",
      Delete: "unknown",
    });
    expect(forecastOf(someAnswers({ run: { ...newDryRun(), unknown, foreign } })).ready).toEqual({
      Retain: "unknown",
      Delete: "no",
    });
  });
});

test("a drain that takes longer than Helm waits says which timeout suffices", () => {
  const kinds = new Map([kind("Domain", { ours: 2000, finalizer: 2000, calls: 2000, remoteDeleted: 2000 })]);
  const inForce = { policy: "Delete", from: "the chart" } as const;
  const page = forecastPage(forecastOf(someAnswers({ run: { ...newDryRun(), kinds }, inForce })));
  expect(page.join("\n")).toContain(
    "longer than Helm's timeout of 300s: set cleanupHook.timeout=1200 and uninstall with --timeout 1200s",
  );
});
