// A watch that fails after its first list: readiness stays content, so that the log and the metrics have to tell it.
import { expect, onTestFinished, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { type DrainState, stateReader } from "#drain/state.ts";
import type { Connection, KubeRequest, WatchEvent, WatchRequest } from "#kube/connection.ts";
import { Pod } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { cloudEndpointController } from "../controllers/cloud-endpoint/controller.ts";
import { type LeaderController, watching } from "./define-controller.ts";
import { followState } from "./follow-state.ts";
import { gate as openGate } from "./gate.ts";
import { openLog } from "./log.ts";
import { metrics as openMetrics } from "./metrics.ts";
import { watches as openWatches } from "./watches.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };
const hint = 'Allow ops/ngrok the verb "watch" (RBAC).';
const kind = "cloudendpoints.ngrok.k8s.ngrok.com";
const FAILS = "the watch has failed for a minute: what is made, changed or deleted meanwhile is not seen";

const forbidden = new KnownError("invalid", "forbidden", { status: 403, hint });

/** A server that refuses these lists and shows all others, and whose watches can be forbidden and allowed again. */
function scene(refused: Readonly<Record<string, KnownError>> = {}) {
  const server = { isForbidden: false, isAway: false, isQuiet: false };
  const open = new Set<() => void>();
  const connection: Connection = {
    server: "https://scripted",
    async request({ path }: KubeRequest) {
      await Promise.resolve();
      if (server.isAway) throw new KnownError("transient", "connection refused");
      const refusal = refused[path.split("/").at(-1) ?? ""];
      if (refusal !== undefined) throw refusal;
      return { items: [], metadata: { resourceVersion: "5" } };
    },
    async *watch({ signal, opened }: WatchRequest): AsyncGenerator<WatchEvent> {
      if (server.isForbidden) throw forbidden;
      opened?.();
      if (!server.isQuiet) yield { type: "BOOKMARK", object: { metadata: { resourceVersion: "6" } } };
      await new Promise<void>((resolve, reject) => {
        open.add(resolve);
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const end = new AbortController();
  onTestFinished(() => end.abort(new Error("the test has ended")));
  const clock = testClock();
  const metrics = openMetrics({ processMetrics: false });
  const lines: unknown[] = [];
  const log = openLog(
    { level: "info", encoder: "json", secrets: [] },
    {
      write(line: string) {
        const { level, msg, kind, err, hint: remedy } = JSON.parse(line) as Record<string, string>;
        lines.push(JSON.parse(JSON.stringify({ level, msg, kind, err, hint: remedy })));
      },
    },
  );
  const parts = { connection, release, clock, metrics, log };
  const turn = async (isForbidden: boolean): Promise<void> => {
    server.isForbidden = isForbidden;
    for (const close of open) close();
    open.clear();
    await clock.advance(0);
  };
  const failing = async (): Promise<unknown> => {
    const { values = [] } = (await metrics.registry.getSingleMetric("ngrok_operator_watch_failing")?.get()) ?? {};
    return Object.fromEntries(values.map(({ labels, value }) => [labels["kind"], value]));
  };
  return { server, parts, clock, signal: end.signal, lines, turn, failing };
}

/** Follows CloudEndpoints; `hear` is told of the drain state. */
async function follows(
  { parts, clock, signal }: ReturnType<typeof scene>,
  controller: LeaderController = cloudEndpointController as LeaderController,
): Promise<(state: DrainState) => void> {
  let hear: (state: DrainState) => void = () => {};
  const it = openWatches({
    ...parts,
    controllers: [controller],
    clusterWide: true,
    gate: { onChange: (listener) => ((hear = listener), () => {}) },
  });
  void it.run(signal).catch(() => undefined);
  await clock.advance(0);
  await it.ready([CloudEndpoint], signal);
  return (state) => hear(state);
}

test("a kind that may not be watched any more is told of once after a minute, and once when it may again", async () => {
  const it = scene();
  const { clock, lines, turn, failing } = it;
  await follows(it);
  await turn(true);
  await clock.advance(59_000);
  expect(lines).toEqual([]);
  expect(await failing()).toMatchObject({ [kind]: 0 });

  await clock.advance(3_600_000);
  expect(lines.filter((line) => (line as { kind: string }).kind === kind)).toEqual([
    { level: "warn", msg: FAILS, kind, err: "forbidden", hint },
  ]);
  expect(await failing()).toMatchObject({ [kind]: 1 });

  await turn(false);
  await clock.advance(3_600_000);
  expect(lines.filter((line) => (line as { kind: string }).kind === kind).slice(1)).toEqual([
    { level: "info", msg: "the watch works again", kind },
  ]);
  expect(await failing()).toMatchObject({ [kind]: 0 });
});

test("one that breaks off now and then is not told of", async () => {
  const it = scene();
  await follows(it);
  for (let n = 0; n < 10; n += 1) {
    await it.turn(true);
    await it.clock.advance(20_000);
    await it.turn(false);
    await it.clock.advance(40_000);
  }
  expect(it.lines).toEqual([]);
});

test("one of a quiet kind, whose connection something on the way cuts each time before a bookmark comes, works", async () => {
  const it = scene();
  it.server.isQuiet = true;
  await follows(it);
  for (let n = 0; n < 12; n += 1) {
    await it.clock.advance(50_000);
    await it.turn(false);
  }
  expect(it.lines).toEqual([]);
  expect(await it.failing()).toMatchObject({ [kind]: 0 });
});

test("one that fails, and rests in a drain, fails no more", async () => {
  const it = scene();
  const hear = await follows(it);
  await it.turn(true);
  await it.clock.advance(120_000);
  hear({ phase: "Draining", policy: "Retain", driver: "hook", by: "pod/hook/1", since: "today" });
  await it.clock.advance(0);
  expect(Object.values((await it.failing()) as object)).not.toContain(1);
});

test("one that is done without from the start was told of by that, and is not failing", async () => {
  const it = scene({ pods: forbidden });
  const watches = [watching(Pod, () => [], {}, { dispensable: true })];
  await follows(it, { ...cloudEndpointController, watches } as LeaderController);
  await it.clock.advance(3_600_000);
  expect(it.lines).toEqual([
    { level: "warn", msg: "the kind may not be read, and is done without", kind: "pods", err: "forbidden" },
  ]);
  expect(await it.failing()).toMatchObject({ pods: 0 });
});

test("one that is not served is not failing, whatever fails as it is looked for", async () => {
  const it = scene({ cloudendpoints: new KnownError("gone", "not found", { status: 404, code: "NotFound" }) });
  await follows(it);
  it.server.isAway = true;
  await it.clock.advance(120_000);
  it.server.isAway = false;
  await it.clock.advance(120_000);
  expect(await it.failing()).toMatchObject({ [kind]: 0 });
});

test("that the drain state may not be watched any more is told in the same words", async () => {
  const { parts, clock, signal, lines, turn, failing } = scene();
  void followState(parts, openGate(stateReader({} as Reader, release), clock), signal);
  await clock.advance(0);
  await turn(true);
  await clock.advance(120_000);
  expect(lines).toEqual([{ level: "warn", msg: FAILS, kind: "drain state", err: "forbidden", hint }]);
  expect(await failing()).toEqual({ "drain state": 1 });
  await turn(false);
  await clock.advance(60_000);
  expect(lines.slice(1)).toEqual([{ level: "info", msg: "the watch works again", kind: "drain state" }]);
});
