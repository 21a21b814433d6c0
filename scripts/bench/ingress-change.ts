// `bench ingress-change`: one path changed among N Ingresses, from the user's patch to the endpoint, and what was written for it.
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { Connection } from "#kube/connection.ts";
import { refOf } from "#kube/kind.ts";
import { Ingress, type IngressObject } from "#kube/kinds.ts";
import { objectPath } from "#kube/paths.ts";
import { follow } from "#kube/watch.ts";
import { median, percentile, rounded } from "./arithmetic.ts";
import { aCrowd, clear, served } from "./crowd.ts";
import { type Ground, standIn, withCrds } from "./ground.ts";
import { loadOf, type Machine } from "./machine.ts";
import { AFTER_A_START_MS, atRest, byResource, type OperatorOptions, position, withOperator } from "./operator.ts";
import type { Say } from "./say.ts";

export interface IngressChangeResult {
  readonly bench: "ingress-change";
  readonly timed: string;
  readonly ground: Ground["what"];
  readonly count: number;
  readonly changes: number;
  /** Milliseconds to the CloudEndpoint that has the path, and to its status, which says that ngrok has it. */
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly medianServedMs: number;
  readonly p95ServedMs: number;
  /** Of objects, for one change; status and events with which the endpoint's controller answers are counted beside it. */
  readonly writesPerChange: number;
  readonly writes: Readonly<Record<string, number>>;
  readonly apiManagerMB: number;
  readonly machine: Machine;
}

const TIMED =
  "from before the patch of the Ingress is sent to the event of the CloudEndpoint whose policy has the new path, and to the " +
  "event of its status for that generation; one change after the other, each of another Ingress";
const WITHIN_MS = 30_000;

export interface IngressChangeOptions extends OperatorOptions {
  readonly count: number;
  readonly paths: number;
  readonly changes: number;
}

export async function benchIngressChange(
  ground: Ground,
  options: IngressChangeOptions,
  say: Say,
): Promise<IngressChangeResult> {
  const { count, paths, changes, signal } = options;
  await using connection = await ground.connect();
  await using ngrok = await standIn(ground);
  const crowd = aCrowd(count, paths);
  const step = Math.max(1, Math.floor(count / changes));
  const chosen = crowd.ingresses.filter((_, at) => at % step === 0).slice(0, changes);
  return await withCrds(ground, connection, async () => {
    await say.step(
      `${count} Ingresses are endpoints`,
      async () => await served(ground, connection, ngrok, options, crowd),
    );
    const result = await withOperator(ground, connection, ngrok, options, async (operator) => {
      const { leader, signal } = operator;
      await atRest(operator, ngrok, await position(ground), AFTER_A_START_MS);
      const machine = loadOf();
      const since = await position(ground);
      const times = await say.step(
        `${chosen.length} changes of one path`,
        async () => await changed(connection, chosen, signal),
      );
      const events = await atRest(operator, ngrok, since);
      const objects = events.filter(
        ({ objectRef }) => objectRef?.subresource !== "status" && objectRef?.resource !== "events",
      );
      return {
        changes: chosen.length,
        medianMs: rounded(median(times.map(({ reached }) => reached))),
        p95Ms: rounded(
          percentile(
            times.map(({ reached }) => reached),
            0.95,
          ),
        ),
        medianServedMs: rounded(median(times.map(({ served }) => served))),
        p95ServedMs: rounded(
          percentile(
            times.map(({ served }) => served),
            0.95,
          ),
        ),
        writesPerChange: rounded(objects.length / chosen.length),
        writes: byResource(events),
        apiManagerMB: rounded((await leader.memory()).residentMB),
        machine,
      };
    });
    await clear(ground, connection, crowd, signal);
    return { bench: "ingress-change", timed: TIMED, ground: ground.what, count, ...result };
  });
}

interface Times {
  readonly reached: number;
  readonly served: number;
}

/** Changes the first path of one after the other, and follows each to its CloudEndpoint. */
async function changed(
  connection: Connection,
  ingresses: readonly IngressObject[],
  signal: AbortSignal,
): Promise<Times[]> {
  const over = new AbortController();
  let seen = (_endpoint: CloudEndpoint): void => {};
  const synced = Promise.withResolvers<void>();
  const handlers = { changed: (one: CloudEndpoint) => seen(one), removed() {}, synced: synced.resolve };
  const following = follow(connection, CloudEndpoint, {}, handlers, AbortSignal.any([over.signal, signal]));
  following.catch(synced.reject);
  await synced.promise;
  const times: Times[] = [];
  for (const [at, ingress] of ingresses.entries()) {
    const path = `/changed-${at}`;
    const url = `https://${ingress.spec?.rules?.[0]?.host ?? ""}`;
    const done = Promise.withResolvers<Times>();
    const late = setTimeout(() => done.reject(new Error(`${url} has no ${path} after ${WITHIN_MS} ms`)), WITHIN_MS);
    const began = performance.now();
    let reached: number | undefined;
    seen = ({ spec, metadata, status }) => {
      if (spec.url !== url || !JSON.stringify(spec.trafficPolicy).includes(path)) return;
      reached ??= performance.now() - began;
      const answer = status?.conditions?.find(({ type }) => type === "Ready");
      if (answer?.status === "True" && answer.observedGeneration === metadata.generation)
        done.resolve({ reached, served: performance.now() - began });
    };
    await setPath(connection, ingress, path, signal);
    times.push(await done.promise.finally(() => clearTimeout(late)));
  }
  over.abort();
  return times;
}

async function setPath(
  connection: Connection,
  ingress: IngressObject,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  await connection.request({
    method: "PATCH",
    path: objectPath(Ingress, Ingress.versions[0], refOf(ingress)),
    contentType: "application/json-patch+json",
    body: [{ op: "replace", path: "/spec/rules/0/http/paths/0/path", value: path }],
    signal,
  });
}
