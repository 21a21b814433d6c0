// From events to the words that a person reads on uninstall day.
import { describe, expect, test } from "vitest";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { KnownError } from "#wire/errors.ts";
import { endingLines } from "./lines.ts";
import type { DrainEvent } from "./events.ts";
import { rows } from "./kinds.ts";
import type { Found, Step } from "./plan.ts";
import { errorsOf, fold, newReport, openFailures, progressOf, settle, unansweredTold } from "./report.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
const domains = rows.find(({ kind }) => kind.kind === "Domain")!;

function step(name: string, act: Step["act"], foreign: string[] = []): Step {
  const object = {
    metadata: { name, namespace: "shop", finalizers: [FINALIZER, ...foreign] },
    status: { id: `rd_${name}` },
  };
  const at: Found = { row: domains, object, whose: "stamp", deleting: false, foreign };
  return { at, act, stamp: "stays", why: "of the table" };
}
function reportOf(...events: DrainEvent[]) {
  const report = newReport();
  for (const event of events) fold(report, event);
  return report;
}
const ended = {
  release,
  policy: "Retain",
  seconds: 1.25,
  again: "helm uninstall ngrok -n ops",
} as const;
const gone = { is: "gone", id: "k8sop_1", registration: "deleted" } as const;

describe("the counters", () => {
  test("an object that failed and then worked is counted once, and is no failure any more", () => {
    const error = new KnownError("transient", "no answer");
    const report = reportOf(
      { is: "pass", n: 1 },
      { is: "planned", row: domains, steps: 2 },
      { is: "did", step: step("a", "free"), undone: undefined },
      { is: "failed", step: step("b", "free"), error },
      { is: "pass", n: 2 },
      { is: "planned", row: domains, steps: 1 },
      { is: "did", step: step("b", "free"), undone: undefined },
    );
    expect(progressOf(report, "Retain")).toEqual({
      drainedResources: 2,
      failedResources: 0,
      totalResources: 2,
      policy: "Retain",
    });
  });
  test("what failed in one pass stays told until the next has met it: a run that ends in between has its reason", () => {
    const error = new KnownError("transient", "failed calling webhook");
    const report = reportOf(
      { is: "pass", n: 1 },
      { is: "planned", row: domains, steps: 3 },
      { is: "did", step: step("a", "free"), undone: undefined },
      { is: "failed", step: step("b", "free"), error },
      { is: "failed", step: step("c", "free"), error },
      { is: "waiting", ms: 250, why: error.message },
      { is: "pass", n: 2 },
    );
    const counts = { drainedResources: 1, failedResources: 2, totalResources: 3 };
    expect(progressOf(report, "Delete")).toMatchObject(counts);
    fold(report, { is: "planned", row: domains, steps: 2 });
    fold(report, { is: "failed", step: step("b", "free"), error });
    expect(progressOf(report, "Delete")).toMatchObject(counts);
    fold(report, { is: "did", step: step("c", "free"), undone: undefined });
    expect(openFailures(report).map(({ object }) => object)).toEqual(["domain shop/b"]);
  });
  test("what was counted beforehand is the total from the start, and a pass that meets more is believed", () => {
    const report = newReport(3);
    expect(progressOf(report, "Delete")).toMatchObject({ drainedResources: 0, totalResources: 3 });
    for (const event of [
      { is: "pass", n: 1 },
      { is: "planned", row: domains, steps: 2 },
      { is: "did", step: step("a", "delete"), undone: undefined },
    ] as const)
      fold(report, event);
    expect(progressOf(report, "Delete")).toMatchObject({ drainedResources: 1, totalResources: 3 });
    fold(report, { is: "planned", row: domains, steps: 2 });
    expect(progressOf(report, "Delete")).toMatchObject({ totalResources: 4 });
  });
  test("the status shows the last 20 errors, each within the schema's length (F27)", () => {
    const report = reportOf({ is: "pass", n: 1 });
    for (let n = 0; n < 30; n += 1)
      fold(report, { is: "failed", step: step(`d${n}`, "free"), error: new KnownError("invalid", "x".repeat(2_000)) });
    expect(errorsOf(report)).toHaveLength(20);
    expect(errorsOf(report).every((text) => text.length <= 1024)).toBe(true);
    expect(errorsOf(report).at(-1)).toContain("domain shop/d29");
  });
});

describe("a write whose answer was lost", () => {
  const error = new KnownError("transient", "no answer in time", { status: 504 });
  const lost = (act: Step["act"]) => reportOf({ is: "pass", n: 1 }, { is: "failed", step: step("a", act), error });

  test("is told like all else when no pass meets the object again: nothing that stays at ngrok is forgotten (F12)", () => {
    const [freed, deleted] = [lost("free"), lost("delete")];
    // A run that has to stop before that pass reports it as well, where it stays in any case.
    expect(unansweredTold(freed).kept).toEqual([expect.stringContaining("rd_a")]);
    expect(unansweredTold(deleted)).toEqual({ kept: [], removed: [] });
    settle(freed);
    settle(deleted);
    expect(freed.kept).toEqual(["domain shop/a rd_a: the answer to the last write was lost"]);
    expect(deleted.removed).toEqual(["domain shop/a rd_a: the answer to the last write was lost"]);
    expect([freed.done, deleted.done]).toEqual([1, 1]);
  });
  test("is told of what was to be deleted, too, where the run ended in the middle of it: no later pass may meet it (F12)", () => {
    const cut = reportOf({ is: "pass", n: 1 }, { is: "stopped", step: step("a", "delete") });
    const line = "domain shop/a rd_a: the answer to the last write was lost";
    expect(unansweredTold(cut)).toEqual({ kept: [], removed: [line] });
    fold(cut, { is: "pass", n: 2 });
    fold(cut, { is: "did", step: step("a", "delete"), undone: { remote: "gone", id: "rd_a" } });
    expect(unansweredTold(cut)).toEqual({ kept: [], removed: [] });
    expect(cut.removed).toEqual(["domain shop/a rd_a: ngrok did not have it any more"]);
  });
  test("says nothing of a Service whose address was to be released: nobody knows any more whether it was its own", () => {
    const services = rows.find(({ kind }) => kind.kind === "Service")!;
    const annotations = { "ngrok.com/computed-url": "tcp://1.tcp.ngrok.io:20345" };
    const lostFor = (act: Step["act"]) => {
      const { at, ...rest } = step("db", act);
      const object = { metadata: { ...at.object.metadata, annotations } };
      const report = reportOf(
        { is: "pass", n: 1 },
        { is: "failed", step: { ...rest, at: { ...at, row: services, object } }, error },
      );
      settle(report);
      return { kept: report.kept, removed: report.removed };
    };
    expect(lostFor("undo")).toEqual({ kept: [], removed: [] });
    const line = "service shop/db 1.tcp.ngrok.io:20345: the answer to the last write was lost";
    expect(lostFor("free")).toEqual({ kept: [line], removed: [] });
  });
  test("is no more than a failure when a later pass does it", () => {
    const report = lost("free");
    fold(report, { is: "pass", n: 2 });
    fold(report, { is: "did", step: step("a", "free"), undone: undefined });
    settle(report);
    expect([report.kept, report.done]).toEqual([["domain shop/a rd_a"], 1]);
  });
});

describe("the last lines", () => {
  test("Retain says what stays at ngrok and where the ids are", () => {
    const report = reportOf(
      { is: "pass", n: 1 },
      { is: "planned", row: domains, steps: 1 },
      { is: "did", step: step("a", "free"), undone: undefined },
    );
    expect(endingLines({ ending: "clean", report, reported: true, farewell: gone }, ended)).toEqual([
      ["verified", "no finalizer of this release is left (12 kinds listed, no cache)"],
      ["kept", "at ngrok: Domain 1; ids in ConfigMap ngrok-operator-drain-report"],
      ["done", "1 objects, 0 deleted at ngrok, 1.3s"],
    ]);
  });
  test("a failure names object, reason and remedy, and closes with the command", () => {
    const error = new KnownError("invalid", "ngrok answered 401", {
      status: 401,
      hint: "put a valid key into the Secret",
    });
    const report = reportOf(
      { is: "pass", n: 1 },
      { is: "planned", row: domains, steps: 1 },
      { is: "failed", step: step("a", "delete"), error },
    );
    const lines = endingLines({ ending: "blocked", report, reported: true }, ended);
    expect(lines[0]).toEqual(["blocked", "domain shop/a: ngrok answered 401"]);
    expect(lines.slice(-2)).toEqual([
      ["remedy", "put a valid key into the Secret"],
      ["again", "helm uninstall ngrok -n ops"],
    ]);
  });
  test("a run that stopped names the way on last, and before it the way back and under Delete the other policy (F7, F15)", () => {
    const error = new KnownError("invalid", "ngrok answered 403", { status: 403 });
    const report = reportOf({ is: "failed", step: step("a", "delete"), error });
    const lines = endingLines(
      { ending: "blocked", report, reported: true },
      { ...ended, policy: "Delete", revision: "4" },
    );
    const patch = "kubectl -n ops patch configmap ngrok-operator-drain-state --type merge -p";
    expect(lines.slice(-4)).toEqual([
      ["remedy", `or keep what is at ngrok: ${patch} 'data: {policy: Retain}'`],
      ["back", 'if Helm has no revision 4 any more, take the last of "helm history ngrok -n ops" in the next line'],
      ["back", `or keep the release: ${patch} 'data: {phase: Open, policy: null}' && helm rollback ngrok 4 -n ops`],
      ["again", "helm uninstall ngrok -n ops"],
    ]);
  });
  test("what other installs own is a number and a name for each, and what nobody owns comes with the way out (F18)", () => {
    const theirs = (name: string) => {
      const { at, ...rest } = step(name, "leave");
      const annotations = { [DRAIN_OWNER]: "team/other" };
      const object = { metadata: { ...at.object.metadata, annotations } };
      return { is: "left", step: { ...rest, at: { ...at, whose: "stranger", object } } } as const;
    };
    const { at, ...rest } = step("c", "leave");
    const finalizers = ["acme.io/hold", FINALIZER];
    const nobodys = { ...at, whose: "not", object: { metadata: { ...at.object.metadata, finalizers } } } as const;
    const report = reportOf({ is: "pass", n: 1 }, theirs("x"), { is: "pass", n: 2 }, theirs("a"), theirs("b"), {
      is: "left",
      step: { ...rest, at: nobodys, why: "no stamp says whose it is" },
    });
    expect(endingLines({ ending: "clean", report, reported: true, farewell: gone }, ended).slice(1, 4)).toEqual([
      ["left", "2 objects, domain shop/a for one: another install owns them: team/other"],
      ["left", "domain shop/c: no stamp says whose it is"],
      [
        "remedy",
        "if nobody needs it any more: kubectl -n shop patch domains.ingress.k8s.ngrok.com c --type json -p '[{op: remove, path: /metadata/finalizers/1}]'",
      ],
    ]);
  });
  test("a foreign finalizer and a stranger's object are named, whatever the ending", () => {
    const report = reportOf(
      { is: "pass", n: 1 },
      { is: "did", step: step("a", "free", ["acme.io/hold"]), undone: undefined },
      { is: "left", step: step("b", "leave") },
    );
    const words = endingLines({ ending: "clean", report, reported: true, farewell: gone }, ended).map(
      ([word, sentence]) => `${word} ${sentence}`,
    );
    expect(words).toContain("foreign domain shop/a still carries acme.io/hold of another controller");
    expect(words).toContain("left domain shop/b: of the table");
  });
  test("where ours is off and another controller's would hold a CRD that goes, nothing is said to keep ours", () => {
    const report = reportOf(
      { is: "planned", row: domains, steps: 1 },
      { is: "did", step: step("a", "free", ["acme.io/hold"]), undone: undefined },
    );
    report.foreignOff = "kubectl patch it";
    const lines = endingLines({ ending: "clean", report, reported: true }, ended);
    expect(lines).toEqual([
      ["foreign", "domain shop/a still carries acme.io/hold of another controller"],
      ["stopped", expect.stringMatching(/^1 of 1 done, no finalizer of this release is left; but the CRDs/)],
      ["remedy", "if nobody comes for it any more: kubectl patch it"],
      ["again", "helm uninstall ngrok -n ops"],
    ]);
  });
  test("another controller's finalizer on a user's Service is the ordinary thing, and not worth a word", () => {
    const services = rows.find(({ kind }) => kind.kind === "Service")!;
    const { at, ...rest } = step("a", "free", ["service.kubernetes.io/load-balancer-cleanup"]);
    const report = reportOf({ is: "did", step: { ...rest, at: { ...at, row: services } }, undone: undefined });
    expect(report.foreign.size).toBe(0);
  });
  test("2,000 failures stay under twelve lines", () => {
    const report = reportOf({ is: "pass", n: 1 });
    for (let n = 0; n < 2_000; n += 1)
      fold(report, {
        is: "failed",
        step: step(`d${n}`, "delete"),
        error: new KnownError("transient", `no answer ${n}`),
      });
    expect(endingLines({ ending: "paused", report, reported: true }, ended).length).toBeLessThan(12);
  });
});
