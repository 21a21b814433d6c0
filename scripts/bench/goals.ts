// What is to be reached on two cores, beside what was. Pure.
import { spread } from "./arithmetic.ts";
import type { AgentReadyResult } from "./agent/ready.ts";
import type { TunnelResult } from "./agent/tunnel.ts";
import type { BindingsResult, Carried, Shares } from "./bindings/bench.ts";
import type { Latency } from "./bystander.ts";
import type { ChartResult } from "./chart.ts";
import type { DrainResult } from "./drain.ts";
import type { HookStartResult } from "./hook-start.ts";
import type { IdleResult } from "./idle.ts";
import type { IngressChangeResult } from "./ingress-change.ts";
import type { IngressResult } from "./ingress.ts";
import type { ReadyResult } from "./ready.ts";
import type { TakeoverResult } from "./takeover.ts";
import type { TranslateResult } from "./translate.ts";
import type { UninstallResult } from "./uninstall.ts";

export type Result =
  | DrainResult
  | ReadyResult
  | UninstallResult
  | HookStartResult
  | TakeoverResult
  | TranslateResult
  | IngressResult
  | IngressChangeResult
  | IdleResult
  | AgentReadyResult
  | TunnelResult
  | BindingsResult
  | ChartResult;

export interface Row {
  readonly what: string;
  readonly figure: string;
  /** Empty where nothing is asked. */
  readonly goal: string;
  readonly met: boolean | undefined;
}

const RATIO = { Retain: 0.8, Delete: 0.65 } as const;
/** The goals are meant for this many objects. */
const MEANT = 2_000;
const MEANT_INGRESSES = 1_000;
const MEANT_TUNNELS = 500;

export function rowsOf(results: readonly Result[]): Row[] {
  return [...results.flatMap(rows), ...spreads(results)];
}

function rows(result: Result): Row[] {
  switch (result.bench) {
    case "drain":
      return drainRows(result);
    case "ready":
      return readyRows(result);
    case "uninstall":
      return [
        plain("helm uninstall without objects", `${result.oursMedian} s, empty Jobs ${result.emptyMedian} s`),
        goal("  over the empty Jobs", result.difference, "s", 1, result.difference <= 1),
      ];
    case "takeover":
      return [
        plain("take-over from a living operator", `${result.living} s`),
        goal("take-over of a free Lease", result.free, "s", 20, result.free <= 20),
        goal("  from a holder whose pod is gone", result.podGone, "s", 20, result.podGone <= 20),
        goal("  from a pod that hangs", result.hung, "s", 35, result.hung <= 35),
      ];
    case "hook-start":
      return [
        goal("hook: start to first answer, median", result.medianSeconds, "s", 0.3, result.medianSeconds < 0.3),
        plain("  fastest, and node alone", `${result.minSeconds} s, ${result.nodeAloneSeconds} s`),
      ];
    case "translate":
      return translateRows(result);
    case "ingress":
      return ingressRows(result);
    case "ingress-change":
      return ingressChangeRows(result);
    case "idle":
      return idleRows(result);
    case "agent-ready":
      return agentReadyRows(result);
    case "tunnel":
      return tunnelRows(result);
    case "bindings":
      return bindingsRows(result);
    case "chart":
      return (["install", "upgrade", "uninstall"] as const).map((phase) => {
        const { oursMedian, emptyMedian } = result[phase];
        const wait = phase === "uninstall" ? "" : " --wait";
        return plain(`helm ${phase}${wait}, median of ${result.runs}`, `${oursMedian} s, empty chart ${emptyMedian} s`);
      });
  }
}

function drainRows(result: DrainResult): Row[] {
  const { driver, policy, count, seconds, perSecond, rawPerSecond, ratio, disturbed, peakMemoryMB, bystander } = result;
  const name = `drain by the ${driver}, ${policy} ${count}`;
  const figure = `${seconds} s, ${perSecond}/s of ${rawPerSecond}/s${disturbed ? " (disturbed)" : ""}`;
  const asked = count === MEANT && !disturbed;
  return [
    plain(name, figure),
    asked
      ? { what: "  ratio", figure: String(ratio), goal: `>= ${RATIO[policy]}`, met: ratio >= RATIO[policy] }
      : plain("  ratio", String(ratio)),
    goal("  peak memory", peakMemoryMB, "MB", 200, peakMemoryMB <= 200),
    plain("  bystander's GET, median and p95", said(bystander.drain)),
    plain("  the same beside the bare client", `${said(bystander.bare)}; idle ${said(bystander.idle)}`),
    {
      what: "  over the idle server's, median",
      figure: `${bystander.overIdle.median} times, p95 ${bystander.overIdle.p95} times`,
      goal: "< 2 times",
      met: bystander.overIdle.median < 2,
    },
  ];
}

function said({ median, p95 }: Latency): string {
  return `${median} and ${p95} ms`;
}

function readyRows({ count, seconds, perSecond, rawPerSecond, ratio, ...rest }: ReadyResult): Row[] {
  const memory = `${rest.apiManagerMB} MB, at most ${rest.apiManagerPeakMB} MB`;
  const asked = count === MEANT && !rest.disturbed;
  const name = `ready ${count} CloudEndpoints`;
  return [
    asked ? goal(name, seconds, "s", 7, seconds <= 7) : plain(name, `${seconds} s`),
    plain("  ratio", `${ratio}, ${perSecond}/s of ${rawPerSecond}/s${rest.disturbed ? " (disturbed)" : ""}`),
    count === MEANT
      ? { what: "  api-manager's memory", figure: memory, goal: "<= 120 MB", met: rest.apiManagerMB <= 120 }
      : plain("  api-manager's memory", memory),
    plain("  helm uninstall, Delete, all of them", `${rest.uninstallSeconds} s`),
  ];
}

function translateRows({ count, coldSeconds, medianSeconds, spread: more, heapMB }: TranslateResult): Row[] {
  const name = `translate ${count} Ingresses, the first time`;
  const heap = Object.entries(heapMB).map(([many, megabytes]) => `${many}: ${megabytes} MB`);
  return [
    count === MEANT_INGRESSES ? goal(name, coldSeconds, "s", 0.3, coldSeconds <= 0.3) : plain(name, `${coldSeconds} s`),
    plain("  median", `${medianSeconds} s`),
    plain("  heap", heap.join(", ")),
    {
      what: "  heap an Ingress, dearest over cheapest",
      figure: `+${(more * 100).toFixed(0)} %`,
      goal: "<= +25 %",
      met: more <= 0.25,
    },
  ];
}

function ingressRows({ count, paths, seconds, disturbed, ...rest }: IngressResult): Row[] {
  const name = `${count} Ingresses until all are endpoints, paths each: ${paths}`;
  const asked = count === MEANT_INGRESSES && !disturbed;
  const share = `${rest.ratio}, ${rest.perSecond}/s of ${rest.rawPerSecond}/s${disturbed ? " (disturbed)" : ""}`;
  return [
    asked ? goal(name, seconds, "s", 15, seconds <= 15) : plain(name, `${seconds} s`),
    plain("  until all are made", `${rest.madeSeconds} s`),
    asked ? { what: "  ratio", figure: share, goal: ">= 0.7", met: rest.ratio >= 0.7 } : plain("  ratio", share),
    plain("  writes an Ingress", `${rest.writesPerIngress}: ${listed(rest.writes)}`),
    plain("  api-manager's memory", `${rest.apiManagerMB} MB, at most ${rest.apiManagerPeakMB} MB`),
    plain("  its processor time", `${rest.apiManagerCpuSeconds} s`),
  ];
}

function ingressChangeRows(result: IngressChangeResult): Row[] {
  const { count, changes, medianMs, p95Ms, medianServedMs, p95ServedMs, writesPerChange, writes } = result;
  return [
    goal(`one path of ${count} Ingresses is changed, to its endpoint`, medianMs, "ms", 300, medianMs <= 300),
    plain("  p95; at ngrok, median and p95", `${p95Ms} ms; ${medianServedMs} and ${p95ServedMs} ms`),
    {
      what: "  writes a change, but for status and events",
      figure: `${writesPerChange}; of ${changes} changes: ${listed(writes)}`,
      goal: "1",
      met: writesPerChange === 1,
    },
  ];
}

function idleRows({ count, minutes, writes, writesBy, remoteChanges }: IdleResult): Row[] {
  const figure = writes === 0 ? "0" : `${writes}: ${listed(writesBy)}`;
  return [
    { what: `writes in ${minutes} idle minutes, ${count} Ingresses`, figure, goal: "0", met: writes === 0 },
    { what: "  changes at ngrok", figure: `${remoteChanges}`, goal: "0", met: remoteChanges === 0 },
  ];
}

function agentReadyRows({ count, seconds, ...rest }: AgentReadyResult): Row[] {
  const name = `${count} AgentEndpoints until all are Ready`;
  return [
    count === MEANT_TUNNELS ? goal(name, seconds, "s", 15, seconds <= 15) : plain(name, `${seconds} s`),
    plain("  the bare SDK opens as many", `${rest.sdkSeconds} s, ${rest.sdkPerSecond}/s`),
    plain("  ratio", `${rest.ratio}, ${rest.perSecond}/s`),
    plain("  the agent", `${rest.agentMB} MB, ${rest.agentCpuSeconds} s of processor time`),
    plain("  the api-manager", `${rest.apiManagerMB} MB, ${rest.apiManagerCpuSeconds} s of processor time`),
  ];
}

function tunnelRows({ agent, sdk, direct, ofSdk, ofDirect, ...rest }: TunnelResult): Row[] {
  const share = (what: string, value: number, of: string): Row => ({
    what: `agent: ${what}, over the bare SDK's`,
    figure: `${value}: ${of}`,
    goal: ">= 0.9",
    met: value >= 0.9,
  });
  const said = (of: TunnelResult["sdk"]): string => `${of.requestsPerSecond} requests/s, p99 ${of.p99Ms} ms`;
  return [
    share("requests a second", ofSdk.requests, `${agent.requestsPerSecond}/s`),
    share("wait for an answer, p99", ofSdk.p99, `${agent.p99Ms} ms`),
    plain("  the bare SDK at the same edge", said(sdk)),
    plain("  the upstream itself", `${said(direct)}; the agent's shares ${ofDirect.requests} and ${ofDirect.p99}`),
    plain("  the agent", `${rest.agentMB} MB, ${rest.agentCpuMs} ms of processor time for a thousand requests`),
  ];
}

function bindingsRows({ forwarder: ours, endToEnd, tls, plain: tcp, ...rest }: BindingsResult): Row[] {
  const { ofEndToEnd, ofTls, ofPlain } = rest;
  const share = (what: string, value: number, of: string): Row => ({
    what: `forwarder: ${what}, over a plain TCP proxy's`,
    figure: `${value}: ${of}`,
    goal: ">= 0.8",
    met: value >= 0.8,
  });
  const bare = (what: string, of: Carried): Row =>
    plain(
      `  ${what}`,
      `${of.megabytesPerSecond} MB/s, ${of.megabytesPerCpuSecond} MB a second of its processor time, ` +
        `${of.answersPerSecond} answers/s, p99 ${of.p99Ms} ms`,
    );
  const memory = `memory with ${rest.idle} silent connections`;
  const shares = ({ bytes, bytesPerCpuSecond, answers, p99 }: Shares): string =>
    `bytes ${bytes}, of processor time ${bytesPerCpuSecond}, answers ${answers}, p99 ${p99}`;
  return [
    share("bytes a second", ofEndToEnd.bytes, `${ours.megabytesPerSecond} MB/s`),
    share("answers a second", ofEndToEnd.answers, `${ours.answersPerSecond}/s`),
    share("wait for an answer, p99", ofEndToEnd.p99, `${ours.p99Ms} ms`),
    bare("the forwarder", ours),
    bare("a plain TCP proxy before the same ingress", endToEnd),
    bare("a bare proxy that speaks the same TLS", tls),
    bare("a plain TCP proxy where nobody speaks TLS", tcp),
    plain("  the forwarder's shares of the first", shares(ofEndToEnd)),
    plain("  of the second", shares(ofTls)),
    plain("  and of the third", shares(ofPlain)),
    rest.idle === 1_000
      ? goal(`  ${memory}`, rest.idleMB, "MB", 150, rest.idleMB <= 150)
      : plain(`  ${memory}`, `${rest.idleMB} MB`),
    plain("  memory with none", `${rest.emptyMB} MB`),
  ];
}

function listed(writes: Readonly<Record<string, number>>): string {
  return Object.entries(writes)
    .map(([what, times]) => `${what} ${times}`)
    .join(", ");
}

/** Per policy, over the counts that were not disturbed. */
function spreads(results: readonly Result[]): Row[] {
  return (["Retain", "Delete"] as const).flatMap((policy) => {
    const runs = results.filter(
      (one): one is DrainResult =>
        one.bench === "drain" && one.driver === "hook" && one.policy === policy && !one.disturbed,
    );
    if (runs.length < 2) return [];
    const more = spread(runs);
    const counts = runs.map(({ count }) => count).join(", ");
    return [
      {
        what: `drain ${policy}, time an object, dearest over cheapest of ${counts}`,
        figure: `+${(more * 100).toFixed(0)} %`,
        goal: "<= +25 %",
        met: more <= 0.25,
      },
    ];
  });
}

function plain(what: string, figure: string): Row {
  return { what, figure, goal: "", met: undefined };
}

function goal(what: string, value: number, unit: string, limit: number, met: boolean): Row {
  return { what, figure: `${value} ${unit}`, goal: `<= ${limit} ${unit}`, met };
}

/** Padded columns; the last says what was reached. */
export function tableOf(results: readonly Result[]): string[] {
  const all = rowsOf(results);
  const width = (of: (row: Row) => string): number => Math.max(...all.map((row) => of(row).length));
  const [what, figure] = [width((row) => row.what), width((row) => row.figure)];
  return all.map((row) => {
    const verdict = row.met === undefined ? "" : `${row.goal}  ${row.met ? "reached" : "NOT REACHED"}`;
    return `${row.what.padEnd(what)}  ${row.figure.padEnd(figure)}  ${verdict}`.trimEnd();
  });
}
