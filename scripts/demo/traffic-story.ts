// The traffic's part of the demo's story: requests go from ngrok's edge through the agent into a pod and back, and from that
// pod through the forwarder to an endpoint of the account and back. One answer that is not the right one ends the demo.
import type { Kubectl } from "#test/support/kubectl.ts";
import { seen } from "#test/support/manager-process.ts";
import { visit } from "#test/support/ngrok-edge/visitors.ts";
import { roomForPods } from "#test/support/room-for-pods.ts";
import type { Stage } from "#test/support/stage.ts";
import type { Features, Way } from "./features.ts";
import { BOUND_URL, caOf, type Fronts } from "./fronts.ts";
import type { Progress } from "./progress.ts";
import {
  ADDED,
  agentEndpoint,
  type Answer,
  asking,
  pod,
  REQUESTS,
  TRAFFIC,
  WEB,
  wrongOfBound,
  wrongOfPod,
} from "./traffic.ts";

/** Milliseconds in which the node and ngrok's side hear of what was made. */
const SETTLES = 120_000;

export interface Place {
  readonly stage: Pick<Stage, "kubectl" | "image">;
  readonly fronts: Fronts;
  /** Of the release. */
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/** What has to be there before the chart is: the authority of ngrok's side, and the pod, which starts meanwhile. */
export async function prepare({ stage, fronts, namespace }: Place, { ways }: Features): Promise<void> {
  const ca = caOf(fronts, namespace);
  if (ways.length === 0 || ca === undefined) return;
  const own = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
  await roomForPods(stage.kubectl, TRAFFIC);
  await stage.kubectl.apply([own, ca, ...pod(stage.image)]);
}

/** Resolves to how many requests were answered as they should; rejects with the first that was not. */
export async function exchanged(place: Place, { ways }: Features, progress: Progress): Promise<number | undefined> {
  if (ways.length === 0) return undefined;
  const { kubectl } = place.stage;
  const ready = ["-n", TRAFFIC, "wait", "--for=condition=Ready", "pod/web", "--timeout=150s"];
  await kubectl.run(ready, { signal: place.signal });
  let count = 0;
  for (const way of ways) count += await WALKS[way](place, progress);
  return count;
}

/** What it adds to the objects that our finalizer is on, and to what ngrok holds. */
export function added({ ways }: Features, of: "held" | "remote"): number {
  return ways.reduce((total, way) => total + ADDED[way][of], 0);
}

const WALKS: Readonly<Record<Way, (place: Place, progress: Progress) => Promise<number>>> = {
  agent: throughAgent,
  bindings: throughForwarder,
};

async function throughAgent({ stage, fronts, signal }: Place, { step, detail }: Progress): Promise<number> {
  const { edge, host } = fronts;
  if (edge === undefined) throw new Error("without an edge nobody comes to the agent");
  const { kubectl } = stage;
  const address = await clusterIp(kubectl, TRAFFIC, "web");
  const at = host === "0.0.0.0" ? "127.0.0.1" : host;
  const ask = async (path: string): Promise<Answer> =>
    await visit(edge, WEB, { path, at }).catch((error: unknown) => ({ status: 0, text: String(error) }));
  const work = async (): Promise<Answer[]> => {
    await kubectl.apply([agentEndpoint(address)]);
    const ready = ["-n", TRAFFIC, "wait", "--for=condition=Ready", "agentendpoint/web", "--timeout=150s"];
    await kubectl.run(ready, { signal });
    const what = `GET https://${WEB}/ through the agent`;
    await settled(what, async () => wrongOfPod("/", await ask("/")), signal);
    const paths = pathsOf("agent");
    const answers: Answer[] = [];
    for (const path of paths) answers.push(await ask(path));
    checkAll(`https://${WEB}`, paths, answers, wrongOfPod);
    return answers;
  };
  const says = ({ length }: Answer[]): string =>
    `${length} requests from ngrok's edge to https://${WEB} through the agent into pod ${TRAFFIC}/web and back`;
  const answers = await step("agent", work, says);
  detail(answers.at(-1)?.text ?? "");
  return answers.length;
}

interface Bound {
  readonly metadata: { readonly name: string; readonly finalizers?: readonly string[] };
  readonly spec: { readonly endpointURL: string };
  readonly status?: { readonly replicas?: readonly { readonly reason: string }[]; readonly conditions?: object };
}

async function throughForwarder({ stage, namespace, signal }: Place, { step, detail }: Progress): Promise<number> {
  const { kubectl } = stage;
  const uid = await kubectl.run(["-n", TRAFFIC, "get", "pod/web", "-o", "jsonpath={.metadata.uid}"]);
  let base = "";
  const ask = async (paths: readonly string[]): Promise<Answer[]> => {
    const printed = await kubectl.run(asking(paths.map((path) => `${base}${path}`)), { timeout: 180_000, signal });
    return JSON.parse(printed) as Answer[];
  };
  const wrongOf = (path: string, answer: Answer): string | undefined => wrongOfBound(path, uid, answer);
  const work = async (): Promise<Answer[]> => {
    const name = await bound(kubectl, namespace);
    // By its address: the name that workloads use leads to it where there is a DNS, which the demo's cluster has not.
    base = `http://${await clusterIp(kubectl, namespace, name)}`;
    const first = async (): Promise<string | undefined> => {
      const [answer = NONE] = await ask(["/"]);
      return wrongOf("/", answer);
    };
    await settled(`GET ${base}/ from a pod through the forwarder`, first, signal);
    const paths = pathsOf("bindings");
    const answers = await ask(paths);
    checkAll(base, paths, answers, wrongOf);
    return answers;
  };
  const says = ({ length }: Answer[]): string =>
    `${length} requests from pod ${TRAFFIC}/web to ${base} through the forwarder to ${BOUND_URL} at ngrok and back`;
  const answers = await step("bindings", work, says);
  detail(answers.at(-1)?.text.trim() ?? "");
  return answers.length;
}

/** Resolves to the name of the account's endpoint in the cluster, once a forwarder listens for it. */
async function bound(kubectl: Kubectl, namespace: string): Promise<string> {
  let found: Bound | undefined;
  const look = async (): Promise<boolean> => {
    const { items } = await kubectl.json<{ items: Bound[] }>(["-n", namespace, "get", "boundendpoints"]);
    found = items.find(({ spec }) => spec.endpointURL === BOUND_URL);
    const replicas = found?.status?.replicas ?? [];
    const isHeld = (found?.metadata.finalizers?.length ?? 0) > 0;
    return isHeld && replicas.length > 0 && replicas.every(({ reason }) => reason === "Listening");
  };
  await seen(() => `a forwarder listens for ${BOUND_URL}: ${JSON.stringify(found?.status)}`, look);
  return found?.metadata.name ?? "";
}

async function clusterIp(kubectl: Kubectl, namespace: string, name: string): Promise<string> {
  const get = ["-n", namespace, "get", `service/${name}`, "-o", "jsonpath={.spec.clusterIP}"];
  return (await kubectl.run(get)).trim();
}

/** The node may hear of a Service's pods a moment later than kubectl. */
async function settled(what: string, look: () => Promise<string | undefined>, signal: AbortSignal): Promise<void> {
  let wrong: string | undefined;
  const isRight = async (): Promise<boolean> => {
    signal.throwIfAborted();
    wrong = await look();
    return wrong === undefined;
  };
  await seen(() => `${what}: ${wrong}`, isRight, SETTLES);
}

const NONE: Answer = { status: 0, text: "nothing was said of it" };

function pathsOf(way: Way): string[] {
  return Array.from({ length: REQUESTS }, (_, at) => `/${way}/${at + 1}`);
}

function checkAll(
  base: string,
  paths: readonly string[],
  answers: readonly Answer[],
  wrongOf: (path: string, answer: Answer) => string | undefined,
): void {
  for (const [at, path] of paths.entries()) {
    const wrong = wrongOf(path, answers[at] ?? NONE);
    if (wrong !== undefined) throw new Error(`GET ${base}${path}: ${wrong}`);
  }
}
