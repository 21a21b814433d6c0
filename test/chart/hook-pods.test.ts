// What the hooks' pods must have so that they start, reach what the operator reaches, and outlive Helm's patience: the
// day on which it would be missed is the day of the uninstall.
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Container, objects, type PodSpec, type Rendered } from "./helm.ts";

/** Everything that a proxy, a private authority or a careful cluster makes people set. */
const CAREFUL = [
  "apiURL=https://api.example.com",
  "extraCA.secretName=ca",
  "rootCAs=host",
  "extraEnv.HTTPS_PROXY=http://proxy:3128",
  "priorityClassName=high",
  "image.pullSecrets[0]=pull",
  "nodeSelector.pool=edge",
  "tolerations[0].key=edge",
  "tolerations[0].operator=Exists",
  `image.digest=sha256:${"a".repeat(64)}`,
];

interface Pod extends PodSpec {
  readonly tolerations?: readonly object[];
  readonly volumes?: readonly { name: string }[];
  readonly nodeSelector?: object;
  readonly priorityClassName?: string;
  readonly imagePullSecrets?: readonly object[];
}

interface Job {
  readonly backoffLimit: number;
  readonly activeDeadlineSeconds: number;
  readonly ttlSecondsAfterFinished?: number;
  readonly podFailurePolicy: { readonly rules: readonly { action: string; onExitCodes?: { values: number[] } }[] };
  readonly template: {
    readonly metadata: Readonly<Record<"annotations" | "labels", Record<string, string>>>;
    readonly spec: Pod;
  };
}

const isHook = ({ metadata }: Rendered): boolean => metadata.annotations?.["helm.sh/hook"] !== undefined;
const jobOf = ({ spec }: Rendered): Job => spec as unknown as Job;
const mounts = (container: Container | undefined): unknown =>
  (container as { volumeMounts?: unknown } | undefined)?.volumeMounts;

async function jobsAndOperator(
  set: readonly string[],
  json: readonly string[] = [],
): Promise<{ jobs: Rendered[]; operator: Pod }> {
  const all = await objects({ set, json });
  const isManager = ({ kind, metadata }: Rendered): boolean =>
    kind === "Deployment" && metadata.name.endsWith("-manager");
  const operator = all.find(isManager)?.spec?.template?.spec as Pod;
  return { jobs: all.filter(({ kind }) => kind === "Job"), operator };
}

test("a hook reaches what the operator reaches, from where it may run, by the same image (F25)", async () => {
  const { jobs, operator } = await jobsAndOperator(CAREFUL);
  const [own] = operator.containers;
  expect(jobs).toHaveLength(3);
  for (const job of jobs) {
    const { spec, metadata } = jobOf(job).template;
    const [container] = spec.containers;
    expect(container?.image).toBe(own?.image);
    for (const name of ["HTTPS_PROXY", "NODE_EXTRA_CA_CERTS", "NODE_USE_SYSTEM_CA"]) {
      const given = container?.env.find((one) => one.name === name);
      expect(given, name).toBeDefined();
      expect(given).toEqual(own?.env.find((one) => one.name === name));
    }
    expect(container?.env).toContainEqual({ name: "NGROK_API_URL", value: "https://api.example.com" });
    expect(mounts(container)).toEqual(mounts(own));
    expect(spec.volumes).toEqual(operator.volumes);
    expect(spec.nodeSelector).toEqual(operator.nodeSelector);
    expect(spec.priorityClassName).toBe(operator.priorityClassName);
    expect(spec.imagePullSecrets).toEqual(operator.imagePullSecrets);
    for (const toleration of operator.tolerations ?? []) expect(spec.tolerations).toContainEqual(toleration);
    // A lost node must not take Helm's whole timeout with it, and a sidecar must not keep the Job from its end.
    const seconds = spec.tolerations?.flatMap((one) => ("tolerationSeconds" in one ? [one.tolerationSeconds] : []));
    expect(seconds).toEqual([20, 20]);
    expect(metadata.annotations).toMatchObject({ "sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled" });
    expect(metadata.labels).toMatchObject({ "sidecar.istio.io/inject": "false" });
  }
});

test("a hook stands on no node that the operator may not, as of the control plane, where policies of a cluster refuse it (F25)", async () => {
  const lost = { operator: "Exists", effect: "NoExecute", tolerationSeconds: 20 };
  const own = ["not-ready", "unreachable"].map((state) => ({ key: `node.kubernetes.io/${state}`, ...lost }));
  for (const set of [[], CAREFUL]) {
    const { jobs, operator } = await jobsAndOperator(set);
    for (const job of jobs)
      expect(jobOf(job).template.spec.tolerations).toEqual([...own, ...(operator.tolerations ?? [])]);
  }
});

test("what puts a sidecar into the operator's pods puts none into a hook's, which would never end", async () => {
  const mesh = ["podAnnotations.linkerd\\.io/inject=enabled", "podLabels.sidecar\\.istio\\.io/inject=yes"];
  const { jobs } = await jobsAndOperator(mesh);
  expect(jobs.length).toBeGreaterThan(1);
  for (const { metadata } of jobs.map((job) => jobOf(job).template)) {
    expect(metadata.annotations).toMatchObject({ "linkerd.io/inject": "disabled" });
    expect(metadata.labels).toMatchObject({ "sidecar.istio.io/inject": "false" });
  }
});

/** What people write of their own Secrets and ConfigMaps, which may be a part of the chart above and gone before a hook. */
const OWN = [
  'extraEnv={"A":{"valueFrom":{"secretKeyRef":{"name":"proxy","key":"url"}}},"B":{"valueFrom":{"configMapKeyRef":{"name":"c","key":"k"}}}}',
  'extraVolumes=[{"name":"s","secret":{"secretName":"s"}},{"name":"p","projected":{"sources":[{"configMap":{"name":"c"}}]}},{"name":"e","emptyDir":{}}]',
];

test.for(["Retain", "Delete"])("under %s a hook's pod starts although every Secret is gone (F10)", async (policy) => {
  const { jobs } = await jobsAndOperator([...CAREFUL, `drainPolicy=${policy}`], OWN);
  for (const job of jobs) {
    const references = referencesIn(jobOf(job).template.spec);
    expect(references.length).toBeGreaterThanOrEqual(6);
    for (const reference of references) expect(reference).toMatchObject({ optional: true });
  }
});

test("the operator waits for what a person refers to, and a hook does where that is said", async () => {
  const needed = OWN.map((one) => one.replaceAll('"name":"c"', '"name":"c","optional":false'));
  const { jobs, operator } = await jobsAndOperator([], needed);
  expect(referencesIn([operator.containers[0]?.env.filter(({ name }) => name === "A"), operator.volumes])).toEqual([
    { name: "proxy", key: "url" },
    { secretName: "s" },
    { name: "c", optional: false },
  ]);
  const said = jobs.map((job) => referencesIn(jobOf(job).template.spec).filter((one) => one.optional === false));
  expect(said.map((each) => each.length)).toEqual([2, 2, 2]);
});

test("a drain hook keeps its rights until the cleanup: Helm makes them anew, and deletes none while a pod works (F21)", async () => {
  const hooks = (await objects({ set: ["ingress.watchNamespace=shop"] })).filter(isHook);
  const drain = hooks.filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"] === "pre-delete");
  expect(drain.map(({ kind }) => kind).toSorted()).toEqual(
    ["ClusterRole", "ClusterRoleBinding", "Job", "Role", "RoleBinding", "ServiceAccount"].toSorted(),
  );
  for (const { kind, metadata } of drain)
    expect(metadata.annotations?.["helm.sh/hook-delete-policy"], kind).toBe("before-hook-creation");
});

test("a hook's exit 1 is the end of its Job, an eviction is not, and its pod stays to be asked (F22)", async () => {
  const { jobs } = await jobsAndOperator([]);
  for (const job of jobs.filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"] !== "test")) {
    const { backoffLimit, activeDeadlineSeconds, ttlSecondsAfterFinished, podFailurePolicy } = jobOf(job);
    // After the drain the same helm uninstall goes on; after the cleanup there is no release for it any more.
    const isLast = job.metadata.annotations?.["helm.sh/hook"] === "post-delete";
    expect({ backoffLimit, ttlSecondsAfterFinished }).toEqual({
      backoffLimit: isLast ? 3 : 0,
      ttlSecondsAfterFinished: 86_400,
    });
    expect(activeDeadlineSeconds).toBeGreaterThan(300);
    expect(podFailurePolicy.rules.map(({ action, onExitCodes }) => [action, onExitCodes?.values])).toEqual([
      ["Ignore", undefined],
      ["FailJob", [1]],
    ]);
  }
});

test("an older chart's kubectl image is not run (W5)", async () => {
  const reference = join(import.meta.dirname, "values", "reference.yaml");
  const jobs = (await objects({ files: [reference] })).filter(({ kind }) => kind === "Job");
  expect(jobs.map((job) => jobOf(job).template.spec.containers[0]?.image)).toEqual(
    jobs.map(() => expect.stringMatching(/\/ngrok-operator:/) as string),
  );
});

test("a rehearsal waits for a node that has to be made, ends within Helm's patience, also where its pod cannot start, and leaves nothing for the uninstall", async () => {
  const all = (await objects({ set: ["ingress.watchNamespace=shop"] })).filter(isHook);
  const own = all.filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"] === "test");
  expect(own.filter(({ kind }) => kind === "Job").map(jobOf)).toMatchObject([
    // Where a node is made for it (GKE Autopilot, Karpenter, Fargate) its wait counts too; Helm's own default is 300.
    { backoffLimit: 0, activeDeadlineSeconds: 270, ttlSecondsAfterFinished: 120 },
  ]);
  for (const { kind, metadata } of own)
    expect(metadata.annotations?.["helm.sh/hook-delete-policy"], kind).toMatch(
      kind === "Job" ? /^before-hook-creation,hook-succeeded$/ : /,hook-succeeded,hook-failed$/,
    );
});

test("a rehearsal is a pod as the hooks' are: else its start would prove nothing", async () => {
  const { jobs } = await jobsAndOperator(CAREFUL);
  const shapes = jobs.map((job) => {
    const {
      serviceAccountName: _account,
      containers,
      ...spec
    } = jobOf(job).template.spec as Pod & {
      serviceAccountName: string;
    };
    return { spec, containers: containers.map(({ name: _name, command: _command, env: _env, ...rest }) => rest) };
  });
  expect(shapes).toHaveLength(3);
  for (const shape of shapes) expect(shape).toEqual(shapes[0]);
});

/** Whatever refers to a Secret or a ConfigMap, at any depth. */
function referencesIn(value: unknown): { optional?: boolean }[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  return Object.entries(value).flatMap(([key, part]) =>
    ["secretKeyRef", "configMapKeyRef", "secret", "configMap"].includes(key)
      ? [part as { optional?: boolean }]
      : referencesIn(part),
  );
}
