// Which install a command is about, and how it was installed: from the flags, from the pod that we are in, or from what
// is in the cluster.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Release } from "#api/release.ts";
import { namesOf } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { type HookPod, hookPodOf } from "#drain/room.ts";
import { isPolicy } from "#drain/state.ts";
import type { Ref } from "#kube/kind.ts";
import { ConfigMap, Deployment, type DeploymentObject } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import { callsPerMinuteOf } from "#ngrok/pace.ts";
import { isClass, KnownError } from "#wire/errors.ts";

export interface Where {
  readonly namespace?: string | undefined;
  readonly release?: string | undefined;
  readonly fullname?: string | undefined;
  readonly watchNamespace?: string | undefined;
}

export interface Install {
  readonly release: Release;
  /** What the chart was told, as the next `helm uninstall` will read it; undefined when nobody says. */
  readonly policy: DrainPolicy | undefined;
  readonly clusterWide: boolean;
  /** Whether Helm deletes our CRDs with the release. */
  readonly crdsGo: boolean;
  /** Whether the chart has hooks that drain. */
  readonly hook: boolean;
  /** Helm's timeout as the hook reckons with it. */
  readonly helmSeconds: number;
  readonly apiUrl: string | undefined;
  /** As the chart says how many calls to ngrok this account may make; undefined without a limit. */
  readonly callsPerMinute: number | undefined;
  /** The Secret and its key that hold the API key, where the key itself is not in the environment. */
  readonly apiKeyIn: { readonly name: string; readonly key: string };
  /** What the pod of a hook asks for; undefined when nobody says. */
  readonly pod?: HookPod | undefined;
  /** True in a pod of the install, under its own ServiceAccount. */
  readonly inside: boolean;
  /** What could not be found and was assumed, for people. */
  readonly assumed: readonly string[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Throws KnownError invalid that lists the candidates when it is not clear which install is meant. */
export async function findInstall(
  where: Where,
  env: Env,
  elsewhere: boolean,
  read: Reader,
  signal: AbortSignal,
): Promise<Install> {
  const { POD_NAMESPACE: namespace, RELEASE_NAME: name, FULLNAME: fullname } = env;
  const named = where.namespace ?? where.release ?? where.fullname;
  if (!elsewhere && named === undefined && namespace && name && fullname) {
    return installOf({ name, namespace, fullname }, where, env, { inside: true, assumed: [] });
  }
  const release = await findRelease({ ...where, namespace: where.namespace ?? namespace }, read, signal);
  const { deployment, problem } = await managerOf(release, read, signal);
  const variables = deployment?.spec?.template.spec.containers[0]?.env ?? [];
  const given = Object.fromEntries(variables.map(({ name: key, value }) => [key, value]));
  const secret = variables.find(({ name: key }) => key === "NGROK_API_KEY")?.valueFrom?.secretKeyRef;
  const told = {
    inside: false,
    ...(secret === undefined ? {} : { apiKeyIn: secret }),
    assumed:
      problem === undefined
        ? []
        : [`${problem}: CRDs are taken to stay, Helm's timeout for 300s, and ${watched(where.watchNamespace)}`],
  };
  return installOf(release, where, given, told);
}

function watched(namespace: string | undefined): string {
  return namespace === undefined ? "all namespaces are watched" : `namespace ${namespace} is watched`;
}

function installOf(
  release: Release,
  where: Where,
  env: Env,
  told: { inside: boolean; assumed: readonly string[]; apiKeyIn?: Install["apiKeyIn"] },
): Install {
  const watchNamespace = where.watchNamespace || env["WATCH_NAMESPACE"];
  const nameLabel = env["NAME_LABEL"];
  const seconds = Number(env["HELM_TIMEOUT"]);
  const policy = env["DRAIN_POLICY"];
  return {
    release: { ...release, ...(nameLabel ? { nameLabel } : {}), ...(watchNamespace ? { watchNamespace } : {}) },
    policy: isPolicy(policy) ? policy : undefined,
    clusterWide: env["RBAC_CLUSTER"] !== "false",
    crdsGo: env["CRDS_GO"] === "true",
    hook: env["DRAIN_HOOK"] !== "false",
    helmSeconds: seconds >= 30 ? seconds : 300,
    apiUrl: env["NGROK_API_URL"] || undefined,
    callsPerMinute: callsPerMinuteOf(env["NGROK_CALLS_PER_MINUTE"]),
    pod: hookPodOf(env["HOOK_POD"]),
    apiKeyIn: { name: namesOf(release).credentials, key: "API_KEY" },
    ...told,
  };
}

interface Candidate {
  readonly name: string;
  readonly namespace: string;
  readonly fullname: string;
}

async function findRelease(where: Where, read: Reader, signal: AbortSignal): Promise<Release> {
  const { namespace, release: name, fullname } = where;
  if (namespace && name && fullname) return { name, namespace, fullname };
  const all = await candidates(namespace, read, signal);
  const fitting = all.filter((one) => (name ?? one.name) === one.name && (fullname ?? one.fullname) === one.fullname);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return { ...only, fullname: fullname ?? only.fullname };
  const place = namespace === undefined ? "in the cluster" : `in namespace ${namespace}`;
  if (only === undefined) {
    const others = all.map(textOf).join("; ");
    throw new KnownError("invalid", `no install of the operator was found ${place}${others && `, only ${others}`}`, {
      hint: "name it: -n NAMESPACE --release RELEASE --fullname FULLNAME (FULLNAME is what stands before -drain-state)",
    });
  }
  throw new KnownError("invalid", `there are ${fitting.length} installs ${place}: ${fitting.map(textOf).join("; ")}`, {
    hint: "say which with these flags",
  });
}

function textOf({ name, namespace }: Candidate): string {
  return `-n ${namespace} --release ${name}`;
}

const STATE = "-drain-state";

/**
 * Installs by their drain states, by their KubernetesOperators where the state is gone, and by the reports of their drains
 * where nothing else is left.
 */
async function candidates(
  namespace: string | undefined,
  read: Reader,
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  const found = new Map<string, Candidate>();
  const at = namespace === undefined ? {} : { namespace };
  for await (const { items } of read.pages(KubernetesOperator, at, signal)) {
    for (const { metadata } of items) {
      const candidate = {
        name: metadata.name,
        namespace: metadata.namespace ?? "",
        fullname: usualFullname(metadata.name),
      };
      found.set(`${candidate.namespace}/${candidate.name}`, candidate);
    }
  }
  const options = { ...at, labelSelector: "app.kubernetes.io/managed-by=Helm" };
  for await (const { items } of read.pages(ConfigMap, options, signal)) {
    for (const { metadata } of items) {
      const name = metadata.annotations?.["meta.helm.sh/release-name"];
      if (name === undefined || !metadata.name.endsWith(STATE)) continue;
      const candidate = {
        name,
        namespace: metadata.namespace ?? "",
        fullname: metadata.name.slice(0, -STATE.length),
      };
      found.set(`${candidate.namespace}/${candidate.name}`, candidate);
    }
  }
  return found.size > 0 ? [...found.values()] : await reported(at, read, signal);
}

const REPORT = "-drain-report";

async function reported(at: { namespace?: string }, read: Reader, signal: AbortSignal): Promise<readonly Candidate[]> {
  const found: Candidate[] = [];
  const labelSelector = "app.kubernetes.io/component=drain-report";
  for await (const { items } of read.pages(ConfigMap, { ...at, labelSelector }, signal)) {
    for (const { metadata, data } of items) {
      const [namespace, name] = data?.["release"]?.split("/") ?? [];
      if (!namespace || !name || !metadata.name.endsWith(REPORT)) continue;
      found.push({ name, namespace, fullname: metadata.name.slice(0, -REPORT.length) });
    }
  }
  return found;
}

/** The chart's rule, without overrides. */
export function usualFullname(release: string): string {
  return release.includes("ngrok-operator") ? release : `${release}-ngrok-operator`;
}

/** The api-manager's Deployment, which was told by the chart how it is installed. */
async function managerOf(
  release: Release,
  read: Reader,
  signal: AbortSignal,
): Promise<{ deployment?: DeploymentObject; problem?: string }> {
  const at: Ref = { name: namesOf(release).manager, namespace: release.namespace };
  try {
    const deployment = await read.get(Deployment, at, signal);
    return deployment === undefined ? { problem: `the Deployment ${at.name} is not there` } : { deployment };
  } catch (error) {
    if (!isClass(error, "invalid")) throw error;
    return { problem: `the Deployment ${at.name} may not be read` };
  }
}
