// The forecast as people and programs read it: readiness, blockers, time.
import { describe, expect, test } from "vitest";
import { type KindCount, newDryRun } from "#drain/dry-run.ts";
import { rows } from "#drain/kinds.ts";
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
