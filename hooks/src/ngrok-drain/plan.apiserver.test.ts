// `ngrok-drain plan` as people run it: what an uninstall would do and what stands in its way, from inside and from outside.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { endOf, eventsSince, said, writes } from "#test/support/audit.ts";
import { aCloudEndpoint, aKubernetesOperator } from "#test/support/builders.ts";
import { type DrainCli, startDrainCli } from "#test/support/drain-cli.ts";
import { drainDocument } from "#test/support/drain-documents.ts";
import type { Forecast } from "./forecast.ts";

let cli: DrainCli;

beforeAll(async () => {
  cli = await startDrainCli();
});

afterAll(async () => await cli[Symbol.asyncDispose]());

beforeEach(async () => await cli.reset());

test("in the pod, with the operator's own rights: both policies side by side, and nothing is changed", async () => {
  await cli.operator();
  await cli.domain("ours", "ops/ngrok");
  await cli.domain("theirs", "team/ngrok");
  const metadata = {
    name: "web",
    namespace: "shop",
    finalizers: [FINALIZER],
    annotations: { [DRAIN_OWNER]: "ops/ngrok" },
  };
  await cli.write.create(CloudEndpoint, aCloudEndpoint({ metadata }), cli.signal);
  const { env, account } = await cli.installed({});
  const login = await cli.loginOf(account);
  const since = await endOf(cli.plane.auditLog);
  const called = cli.api.count("DELETE");
  const { code, out, err } = await cli.program(["plan"], {
    ...env,
    POD_NAMESPACE: "ops",
    NGROK_API_KEY: "2abcSECRET",
    KUBECONFIG: login,
  });
  expect(err).toBe("");
  expect(out).toContain("release ops/ngrok  policy Retain (from the chart)  CRDs kept");
  expect(out).toMatch(/^Domain +1 +2 +stays, domain stays +deleted; at ngrok 1 deleted$/m);
  expect(out).toMatch(/^CloudEndpoint +1 +1 +stays, endpoint stays +deleted; at ngrok 1 deleted$/m);
  expect(out).toMatch(/Left alone \(1\)\n +domain shop\/theirs +another install owns it/);
  expect(out).toMatch(/Ready +Retain: yes\. Delete: yes/);
  expect({ code, secret: out.includes("SECRET") }).toEqual({ code: 0, secret: false });
  const mine = writes(await eventsSince(cli.plane.auditLog, since)).filter(({ user }) =>
    user.username.includes(account),
  );
  expect({ mine: mine.map(said), deletes: cli.api.count("DELETE") - called }).toEqual({ mine: [], deletes: 0 });
});

test("a foreign finalizer and no key stand in the way of Delete, and only of Delete", async () => {
  await cli.operator();
  await cli.domain("ours", "ops/ngrok", [FINALIZER, "acme.io/hold"]);
  const blocked = await cli.inPod(["plan", "-o", "json"], { drainPolicy: "Delete" }, "");
  const forecast = await drainDocument<Forecast>("plan", blocked.out);
  expect({ code: blocked.code, ready: forecast.ready }).toEqual({ code: 2, ready: { Retain: "yes", Delete: "no" } });
  expect(forecast.blockers.map(({ policies }) => policies)).toEqual([["Delete"], ["Delete"]]);
  expect(forecast.blockers.map(({ reason }) => reason).join("; ")).toMatch(
    /there is no ngrok API key; domain shop\/ours carries acme\.io\/hold/,
  );
  const [{ remedy } = { remedy: "" }] = forecast.blockers;
  expect(remedy).toContain("kubectl -n ops rollout restart deployment/ngrok-operator-manager");
  expect((await cli.inPod(["plan", "--policy", "Retain"], { drainPolicy: "Delete" }, "")).code).toBe(0);
});

test("an install without hooks is not ready: helm uninstall would free nothing", async () => {
  await cli.operator();
  const { code, out } = await cli.inPod(["plan"], { "cleanupHook.enabled": "false" });
  expect(out).toContain("Retain, Delete: cleanupHook.enabled=false: helm uninstall would free nothing. Remedy: set it");
  expect(out).toContain("kubectl -n ops delete kubernetesoperator ngrok");
  expect(code).toBe(2);
});

test("a quota that lets no pod in any more stands in the way of both policies, by its name, with what to do", async () => {
  await cli.operator();
  await cli.kubectl("create", "quota", "team", "-n", "ops", "--hard=pods=5,limits.memory=256Mi");
  const counted = "jsonpath={.status.used.pods}";
  // Its controller is another program, which on a busy machine has its turn late.
  await expect.poll(async () => await cli.kubectl("get", "quota", "team", "-n", "ops", "-o", counted)).toBe("0");
  const { code, out } = await cli.inPod(["plan"]);
  await cli.kubectl("delete", "quota", "team", "-n", "ops");
  expect(out).toContain(
    "Retain, Delete: no pod of a hook could be made in namespace ops: ResourceQuota team has less limits.memory left than the 512Mi needed (256Mi of 256Mi left). Remedy: raise that quota,",
  );
  expect(code).toBe(2);
});

test("so does a pod security level that refuses what the values put into the hooks' pods", async () => {
  await cli.operator();
  const level = "pod-security.kubernetes.io/enforce";
  await cli.kubectl("label", "namespace", "ops", `${level}=restricted`);
  const plain = await cli.inPod(["plan"]);
  const folder = { "extraVolumes[0].name": "ca", "extraVolumes[0].hostPath.path": "/etc/ssl" };
  const { code, out } = await cli.inPod(["plan"], folder);
  await cli.kubectl("label", "namespace", "ops", `${level}-`);
  expect(plain.code, plain.out).toBe(0);
  expect(out).toContain(
    `the label ${level}=restricted of namespace ops refuses extraVolumes (ca: hostPath). Remedy: take that`,
  );
  expect(code).toBe(2);
});

test("a kind that may not be listed is unknown, never none", async () => {
  await cli.operator();
  await cli.apply("viewer", viewer());
  const login = await cli.loginOf("viewer");
  const where = ["-n", "ops", "--release", "ngrok", "--fullname", "ngrok-operator"];
  const { code, out } = await cli.program(["plan", ...where], { KUBECONFIG: login, NGROK_API_KEY: "key" });
  expect(out).toMatch(/Unknown \(\d+\)/);
  expect(out).toMatch(/domains\.ingress\.k8s\.ngrok\.com: .*forbidden/i);
  expect(code).toBe(3);
});

test("from outside, the Deployment says how it was installed, and the Secret holds the key, which is not shown", async () => {
  await cli.operator();
  await using _ = await cli.deployed({ drainPolicy: "Delete", "cleanupHook.timeout": "1200" });
  const secret = ["secret", "ngrok-operator-credentials", "-n", "ops"];
  await cli.kubectl("create", secret[0]!, "generic", ...secret.slice(1), "--from-literal=API_KEY=2abcSECRET");
  const { code, out, err } = await cli.program(["plan", "--kubeconfig", cli.plane.kubeconfig], {});
  await cli.kubectl("delete", ...secret);
  expect(out).toContain("policy Delete (from the chart)");
  expect(out).toMatch(/Helm's timeout of 1200s is enough/);
  expect(cli.api.count("GET")).toBeGreaterThan(0);
  expect({ code, err, secret: out.includes("SECRET") }).toEqual({ code: 0, err: "", secret: false });
});

test("from outside the install is found; where there are two, both are named", async () => {
  await cli.operator();
  expect((await cli.outside(["plan"], { NGROK_API_KEY: "key" })).out).toContain("release ops/ngrok ");
  const metadata = { name: "second", namespace: "shop" };
  await cli.write.create(KubernetesOperator, aKubernetesOperator({ metadata }), cli.signal);
  const { code, err } = await cli.outside(["plan"]);
  expect(err).toMatch(/there are 2 installs in the cluster: .*-n ops --release ngrok/);
  expect(err).toMatch(/-n shop --release second/);
  expect(code).toBe(1);
  expect((await cli.outside(["plan", "-n", "ops"], { NGROK_API_KEY: "key" })).code).toBe(0);
});

/** May see this install, and no object of it. */
function viewer(): readonly object[] {
  const metadata = { name: "viewer", namespace: "ops" };
  const rules = [
    { apiGroups: ["ngrok.k8s.ngrok.com"], resources: ["kubernetesoperators"], verbs: ["get"] },
    { apiGroups: [""], resources: ["configmaps"], verbs: ["get"] },
  ];
  const rbac = "rbac.authorization.k8s.io";
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    { apiVersion: `${rbac}/v1`, kind: "Role", metadata, rules },
    {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "Role", name: "viewer" },
      subjects: [{ kind: "ServiceAccount", ...metadata }],
    },
  ];
}
