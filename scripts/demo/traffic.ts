// What the demo's requests go through, and when an answer is the right one: a pod that serves and asks, an AgentEndpoint that
// leads to it. It imports nothing of the product: who judges must not share a mistake.
import { isDeepStrictEqual } from "node:util";
import type { Way } from "./features.ts";
import { BOUND } from "./fronts.ts";

/** Where the pod is, and the name by which pods reach the endpoint that is bound into the cluster. */
export const TRAFFIC = "demo-traffic";
export const WEB = "web.example.com";
/** Requests on each way. */
export const REQUESTS = 5;

/** Node.js in the operator's image; it says who answers what. */
const SERVE = `require("http").createServer((request, response) => {
  const { method, url } = request;
  response.end(JSON.stringify({ pod: require("os").hostname(), method, url }));
}).listen(8080)`;
/** Asks for the URLs of its arguments, one after the other, and prints the answers as JSON; status 0 is none. */
const ASK = `(async () => {
  const answers = [];
  for (const url of process.argv.slice(1))
    answers.push(await fetch(url, { signal: AbortSignal.timeout(60000) }).then(
      async (answer) => ({ status: answer.status, text: await answer.text() }),
      (error) => ({ status: 0, text: String(error.cause ?? error) })));
  console.log(JSON.stringify(answers));
})()`;
const NODE = ["/usr/local/bin/node", "-e"];

/** The pod `web` of this image, and its Service. */
export function pod(image: string): object[] {
  const labels = { app: "web" };
  const metadata = { name: "web", namespace: TRAFFIC, labels };
  const container = {
    name: "web",
    image,
    command: [...NODE, SERVE],
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  };
  const podSpec = {
    containers: [container],
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    terminationGracePeriodSeconds: 1,
  };
  const serviceSpec = { selector: labels, ports: [{ port: 80, targetPort: 8080 }] };
  return [
    { apiVersion: "v1", kind: "Pod", metadata, spec: podSpec },
    { apiVersion: "v1", kind: "Service", metadata, spec: serviceSpec },
  ];
}

/** An AgentEndpoint at a public host that leads to this address of the cluster. */
export function agentEndpoint(address: string): object {
  const spec = { url: `https://${WEB}`, upstream: { url: `http://${address}` } };
  const metadata = { name: "web", namespace: TRAFFIC };
  return { apiVersion: "ngrok.k8s.ngrok.com/v1alpha1", kind: "AgentEndpoint", metadata, spec };
}

/** kubectl's arguments by which the pod asks for these URLs. */
export function asking(urls: readonly string[]): string[] {
  return ["-n", TRAFFIC, "exec", "pod/web", "--", ...NODE, ASK, ...urls];
}

/** What each way adds: carriers of our finalizer (AgentEndpoint and its Domain; BoundEndpoint), and objects at ngrok. */
export const ADDED: Readonly<Record<Way, { readonly held: number; readonly remote: number }>> = {
  agent: { held: 2, remote: 1 },
  bindings: { held: 1, remote: 0 },
};

export interface Answer {
  /** 0 when there was none: the text says why. */
  readonly status: number;
  readonly text: string;
}

/** What is wrong with what the pod is to have answered to a visitor, in words; undefined when nothing is. */
export function wrongOfPod(path: string, answer: Answer): string | undefined {
  return wrong({ pod: "web", method: "GET", url: path }, answer, (told) => told);
}

/** The same for what the bound endpoint answered, which says by which pod it was asked. */
export function wrongOfBound(path: string, uid: string, answer: Answer): string | undefined {
  const expected = { endpoint: BOUND, pod: { uid, name: "web", namespace: TRAFFIC }, method: "GET", url: path };
  return wrong(expected, answer, (told) => {
    const { uid: id, name, namespace } = (told["pod"] ?? {}) as Record<string, unknown>;
    return { ...told, pod: { uid: id, name, namespace } };
  });
}

function wrong(
  expected: object,
  { status, text }: Answer,
  read: (told: Record<string, unknown>) => object,
): string | undefined {
  const said = text.trim().slice(0, 300);
  if (status === 0) return `no answer: ${said}`;
  if (status !== 200) return `answered ${status} ${said}`;
  let told: object | undefined;
  try {
    told = read(JSON.parse(text) as Record<string, unknown>);
  } catch {
    // a text for people
  }
  return isDeepStrictEqual(told, expected) ? undefined : `answered ${said}, not ${JSON.stringify(expected)}`;
}
