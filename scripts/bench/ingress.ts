// `bench ingress`: how fast N new Ingresses become endpoints at ngrok, against the same writes from a bare client.
import type { Connection } from "#kube/connection.ts";
import type { AuditEvent } from "#test/support/audit.ts";
import { best, isDisturbed, perSecond, ratio, rounded } from "./arithmetic.ts";
import { ceiling, type Portion } from "./bare.ts";
import { aCrowd, allServed, clear, createIngresses, type Crowd, prepare, type Served } from "./crowd.ts";
import { type Ground, KEY, standIn, withCrds } from "./ground.ts";
import { loadOf, type Machine } from "./machine.ts";
import { atRest, byResource, type OperatorOptions, position, withOperator } from "./operator.ts";
import { chainsOf, type Remote } from "./replay.ts";
import type { Say } from "./say.ts";

export interface IngressResult {
  readonly bench: "ingress";
  readonly timed: string;
  readonly ground: Ground["what"];
  readonly count: number;
  readonly paths: number;
  readonly seconds: number;
  /** To the object of the last endpoint, whether it is served or not. */
  readonly madeSeconds: number;
  readonly perSecond: number;
  readonly rawPerSecond: number;
  readonly ratio: number;
  readonly disturbed: boolean;
  readonly rawByWidth: Readonly<Record<string, number>>;
  readonly rawCount: number;
  /** At the API server, for one Ingress, its creation and events not counted. */
  readonly writesPerIngress: number;
  readonly writes: Readonly<Record<string, number>>;
  /** Resident memory of the api-manager's process right after, and its peak; MB of 1,000,000 bytes. */
  readonly apiManagerMB: number;
  readonly apiManagerPeakMB: number;
  /** Of processor, which the api-manager used for all of them: what is left of the time when the machine is busy. */
  readonly apiManagerCpuSeconds: number;
  readonly machine: Machine;
}

const TIMED =
  "from the first Ingress's creation, by 32 connections, to the event that shows the last of their endpoints: every " +
  "AgentEndpoint made, every CloudEndpoint Ready; the bare client creates as many Ingresses and sends the writes that the " +
  "audit log shows for each, in their order, with what was made at ngrok";
const RAW_COUNT = 500;

export interface IngressOptions extends OperatorOptions {
  readonly count: number;
  /** Of each Ingress, from 1 to 3. */
  readonly paths: number;
}

interface Run extends Served {
  readonly began: number;
  readonly events: readonly AuditEvent[];
  readonly remote: Remote;
  readonly cpuSeconds: number;
  readonly memory: { readonly residentMB: number; readonly peakMB: number };
}

export async function benchIngress(ground: Ground, options: IngressOptions, say: Say): Promise<IngressResult> {
  const { count, paths, signal } = options;
  await using connection = await ground.connect();
  await using ngrok = await standIn(ground);
  const machine = loadOf();
  const crowd = aCrowd(count, paths);
  const { run, rates } = await withCrds(ground, connection, async () => {
    const mine = await withOperator(ground, connection, ngrok, options, async (operator): Promise<Run> => {
      const { leader, signal } = operator;
      await say.step(`${crowd.standing.length - 1} Services`, async () => await prepare(connection, crowd, signal));
      const [since, used] = [await position(ground), await leader.cpuSeconds()];
      const began = performance.now();
      const served = await say.step(`${count} Ingresses are endpoints, paths each: ${paths}`, async () => {
        const all = allServed(connection, crowd, 120_000 + count * 100, signal);
        const [, end] = await Promise.all([createIngresses(connection, crowd, signal), all]);
        return end;
      });
      const [memory, cpuSeconds] = [await leader.memory(), (await leader.cpuSeconds()) - used];
      const events = (await atRest(operator, ngrok, since)).filter(isNoEvent);
      const remote = { endpoints: ngrok.objects("endpoints"), domains: ngrok.objects("reserved_domains") };
      return { ...served, began, events, remote, memory, cpuSeconds };
    });
    await clear(ground, connection, crowd, signal);
    const part = portions(ground, connection, crowd, mine, signal);
    const portion = async (width: number): Promise<Portion> => {
      ngrok.reset();
      return await part(width);
    };
    return { run: mine, rates: (await ceiling(ground, { url: ngrok.url, key: KEY }, portion, { say })).rates };
  });
  const seconds = (Math.max(run.readyAt, run.madeAt) - run.began) / 1000;
  const [rate, raw] = [perSecond(count, seconds), best(rates)];
  const writesPerIngress = run.events.length / count;
  return {
    bench: "ingress",
    timed: TIMED,
    ground: ground.what,
    count,
    paths,
    seconds: rounded(seconds),
    madeSeconds: rounded((run.madeAt - run.began) / 1000),
    perSecond: rounded(rate),
    rawPerSecond: rounded(raw),
    ratio: rounded(ratio(rate, raw)),
    disturbed: isDisturbed(raw, writesPerIngress + 1),
    rawByWidth: Object.fromEntries(Object.entries(rates).map(([width, one]) => [width, rounded(one)])),
    rawCount: Math.min(RAW_COUNT, count),
    writesPerIngress: rounded(writesPerIngress),
    writes: byResource(run.events),
    apiManagerMB: rounded(run.memory.residentMB),
    apiManagerPeakMB: rounded(run.memory.peakMB),
    apiManagerCpuSeconds: rounded(run.cpuSeconds),
    machine,
  };
}

/** Events are told beside the work, slowly, and not all of them. */
function isNoEvent({ objectRef }: AuditEvent): boolean {
  return objectRef?.resource !== "events";
}

/** The first Ingresses of the crowd once more for each width, in namespaces of its own. */
function portions(ground: Ground, connection: Connection, crowd: Crowd, run: Run, signal: AbortSignal) {
  const ingresses = crowd.ingresses.slice(0, RAW_COUNT);
  return async (width: number): Promise<Portion> => {
    const prefix = `raw${width}-`;
    const namespaces = [...new Set(ingresses.map(({ metadata }) => `${prefix}${metadata.namespace ?? ""}`))];
    const portion: Crowd = { ...crowd, namespaces, standing: [] };
    await prepare(connection, portion, signal);
    return {
      chains: chainsOf(ingresses, run.events, run.remote, prefix),
      clear: async () => await clear(ground, connection, portion, signal),
    };
  };
}
