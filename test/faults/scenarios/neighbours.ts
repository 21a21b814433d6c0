// Other people and their tools at work while the uninstall runs: webhooks, finalizers, a GitOps loop, and users.
import assert from "node:assert/strict";
import { defineScenario, type Act } from "../scenario.ts";

const ALWAYS = Number.POSITIVE_INFINITY;
const DRAIN = { caller: "drain" } as const;

/** The first object of a kind that the population has. */
function one({ population }: Act, kind: "CloudEndpoint" | "Domain"): readonly [namespace: string, name: string] {
  const found = population.objects.find((object) => object.kind === kind);
  if (found === undefined) throw new Error(`the population has no ${kind}`);
  return [found.metadata.namespace ?? "", found.metadata.name];
}

export const neighbours = [
  defineScenario({
    name: "webhook-dead",
    sentence: "A webhook of somebody else refuses each change of our Domains, since nobody answers behind it (F14)",
    keepFalse: true,
    firstEnd: [/blocked .*domain /i, /webhook/],
    before: async ({ kubectl, onEnd }) => {
      await kubectl.apply([DEAD_WEBHOOK]);
      onEnd(async () => await kubectl.run([...dropWebhook, "--ignore-not-found"]));
    },
    remedy: async ({ kubectl }) => void (await kubectl.run(dropWebhook)),
  }),
  defineScenario({
    name: "foreign-finalizer",
    sentence: "A CloudEndpoint carries a finalizer of somebody else who never lets go (F14)",
    keepFalse: true,
    smoke: true,
    firstEnd: ({ keep }) => (keep ? "0" : [/foreign .*acme.example\/hold/]),
    before: async (act) => {
      const [namespace, name] = one(act, "CloudEndpoint");
      const add = '[{"op":"add","path":"/metadata/finalizers/-","value":"acme.example/hold"}]';
      await act.kubectl.run(["patch", "cloudendpoint", "-n", namespace, name, "--type=json", "-p", add]);
      act.onEnd(async () => await dropFinalizers(act, namespace, name));
    },
    remedy: async (act) => {
      const [namespace, name] = one(act, "CloudEndpoint");
      await dropForeign(act, namespace, name);
    },
    after: async (act) => {
      if (!act.run.keep) return;
      const [namespace, name] = one(act, "CloudEndpoint");
      const path = "jsonpath={.metadata.finalizers}";
      const left = await act.kubectl.run(["get", "cloudendpoint", "-n", namespace, name, "-o", path]);
      assert.equal(left, '["acme.example/hold"]');
    },
  }),
  defineScenario({
    name: "gitops-loop",
    sentence:
      "A GitOps tool puts an object and our finalizer, which stands in its manifest, back before each look (F14)",
    keepFalse: true,
    firstEnd: [/domain \S+ .*came back 3 times, written by gitops/],
    before: async (act) => {
      const [namespace, name] = one(act, "Domain");
      const manifest = await manifestOf(act, namespace, name);
      const path = /\/ingress\.k8s\.ngrok\.com\/v1alpha1\/(namespaces\/[^/]+\/)?domains$/;
      const loop = act.proxy.add({
        kind: "do",
        match: { ...DRAIN, method: "GET", path },
        skip: 1,
        times: ALWAYS,
        run: async () => {
          const flags = ["--server-side", "--force-conflicts", "--field-manager=gitops", "-f", "-"];
          await act.kubectl.run(["apply", ...flags], { input: JSON.stringify(manifest) }).catch(() => {}); // it terminates
        },
      });
      act.onEnd(async () => {
        loop.release();
        await dropFinalizers(act, namespace, name, "domain");
      });
    },
    remedy: async ({ proxy, random }) => {
      proxy.reset(random.next);
      await Promise.resolve();
    },
  }),
  defineScenario({
    name: "users-at-work",
    sentence: "Users create, edit and delete objects in the middle of the drain (W8, W16)",
    keepFalse: true,
    during: async (act) => {
      const hold = act.proxy.add({ kind: "hold", match: { ...DRAIN, method: "PATCH", path: /cloudendpoints/ } });
      await hold.hit;
      const { kubectl, population } = act;
      const [namespace, name] = one(act, "Domain");
      const endpoints = population.objects.filter(({ kind }) => kind === "CloudEndpoint").slice(-2);
      const [edited, removed] = endpoints.map(({ metadata }) => ["-n", metadata.namespace ?? "", metadata.name]);
      assert.ok(edited && removed);
      const said = '{"spec":{"description":"edited in the middle of a drain"}}';
      // What is gone already cannot be edited, and that is no harm.
      await kubectl.run(["patch", "cloudendpoint", ...edited, "--type=merge", "-p", said]).catch(() => {});
      await kubectl.run(["delete", "cloudendpoint", ...removed, "--wait=false", "--ignore-not-found"]);
      await kubectl.run(["delete", "domain", "-n", namespace, name, "--wait=false", "--ignore-not-found"]);
      const newcomer = { metadata: { name: "newcomer", namespace }, spec: { url: "https://newcomer.internal" } };
      await kubectl.apply([{ apiVersion: "ngrok.k8s.ngrok.com/v1alpha1", kind: "CloudEndpoint", ...newcomer }]);
      hold.release();
    },
    after: async (act) => {
      if (!act.run.keep) return; // gone with its CRD
      const [namespace] = one(act, "Domain");
      const path = "jsonpath={.metadata.finalizers}";
      assert.equal(await act.kubectl.run(["get", "cloudendpoint", "-n", namespace, "newcomer", "-o", path]), "");
    },
  }),
];

const DEAD_WEBHOOK = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name: "dead-policy-engine" },
  webhooks: [
    {
      name: "dead.policy.example",
      failurePolicy: "Fail",
      timeoutSeconds: 2,
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
      clientConfig: { service: { name: "nobody", namespace: "default", path: "/" } },
      rules: [
        { apiGroups: ["ingress.k8s.ngrok.com"], apiVersions: ["*"], operations: ["UPDATE"], resources: ["domains"] },
      ],
    },
  ],
};
const dropWebhook = ["delete", "validatingwebhookconfiguration", "dead-policy-engine"];

async function dropForeign({ kubectl }: Act, namespace: string, name: string): Promise<void> {
  const at = ["cloudendpoint", "-n", namespace, name];
  const { metadata } = await kubectl.json<{ metadata: { finalizers?: string[] } }>(["get", ...at]);
  const finalizers = metadata.finalizers?.filter((entry) => !entry.startsWith("acme.example/")) ?? [];
  await kubectl.run(["patch", ...at, "--type=merge", "-p", JSON.stringify({ metadata: { finalizers } })]);
}

async function dropFinalizers(
  { kubectl }: Act,
  namespace: string,
  name: string,
  kind = "cloudendpoint",
): Promise<void> {
  const patch = '{"metadata":{"finalizers":null}}';
  // Gone already, or its kind is.
  await kubectl.run(["patch", kind, "-n", namespace, name, "--type=merge", "-p", patch]).catch(() => {});
}

/** As it would stand in Git, our finalizer and stamp exported along. */
async function manifestOf({ kubectl }: Act, namespace: string, name: string): Promise<object> {
  interface Live {
    apiVersion: string;
    kind: string;
    metadata: { annotations?: object; finalizers?: string[] };
    spec: object;
  }
  const live = await kubectl.json<Live>(["get", "domain", "-n", namespace, name]);
  const { annotations = {}, finalizers = [] } = live.metadata;
  return {
    apiVersion: live.apiVersion,
    kind: live.kind,
    metadata: { name, namespace, annotations, finalizers },
    spec: live.spec,
  };
}
