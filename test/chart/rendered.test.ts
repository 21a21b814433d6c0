// The objects of the chart, for every set of values that must work: the same from both Helms, admitted everywhere.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CHART, idOf, objects, podsOf, renderAnew, valuesFiles } from "./helm.ts";

describe.for(valuesFiles())("with $name", ({ path }) => {
  const options = { files: [path], namespace: "ngrok-operator" };

  test("Helm 3 and Helm 4 render the same objects", async () => {
    const [three, four] = await Promise.all([
      objects({ ...options, helm: "helm3" }),
      objects({ ...options, helm: "helm4" }),
    ]);
    expect(three).toEqual(four);
    expect(four.length).toBeGreaterThan(5);
  });

  test("a second run renders the same text", async () => {
    expect(await renderAnew(options)).toBe(await renderAnew(options));
  });

  test("no two objects have one name", async () => {
    const ids = (await objects(options)).map(idOf);
    expect(ids).toEqual([...new Set(ids)]);
  });

  test("every pod is admitted at the level restricted and within a quota (F25, W5)", async () => {
    for (const { id, pod } of podsOf(await objects(options))) {
      expect(pod.securityContext, id).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      for (const container of pod.containers) {
        expect(container.securityContext, id).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        expect(Object.keys(container.resources.requests).toSorted(), id).toEqual(["cpu", "memory"]);
        expect(Object.keys(container.resources.limits).toSorted(), id).toEqual(["cpu", "memory"]);
        expect(container.image, id).not.toMatch(/:latest$|kubectl/);
        expect(
          container.env.map(({ name }) => name),
          id,
        ).toEqual([...new Set(container.env.map(({ name }) => name))]);
      }
    }
  });

  test("every ServiceAccount of a pod and every role of a binding is there", async () => {
    const all = await objects(options);
    const ids = all.map(idOf);
    for (const { pod } of podsOf(all)) expect(ids).toContain(`ServiceAccount ngrok-operator/${pod.serviceAccountName}`);
    for (const { roleRef, subjects, metadata } of all) {
      if (roleRef === undefined) continue;
      const namespace = roleRef.kind === "Role" ? (metadata.namespace ?? "") : "";
      expect(ids).toContain(`${roleRef.kind} ${namespace}/${roleRef.name}`);
      for (const subject of subjects ?? [])
        expect(ids).toContain(`ServiceAccount ${subject.namespace}/${subject.name}`);
    }
  });

  test("no Role is there for nothing", async () => {
    const roles = (await objects(options)).filter(({ kind }) => kind.endsWith("Role"));
    expect(roles.length).toBeGreaterThan(3);
    expect(roles.filter(({ rules }) => (rules ?? []).length === 0).map(idOf)).toEqual([]);
  });

  test("no right is larger than it says: no *, no escalation, no Secrets at large", async () => {
    for (const { kind, metadata, rules = [] } of await objects(options)) {
      const texts = rules.map((rule) => JSON.stringify(rule));
      expect(
        texts.filter((text) => /"\*"|escalate|"bind"|impersonate/.test(text)),
        metadata.name,
      ).toEqual([]);
      // A Gateway's listeners and AgentEndpoints name certificates of any namespace; nothing else looks at Secrets beyond the release's.
      const verbs = rules.filter(isSecretsAtLarge).flatMap((rule) => rule.verbs);
      expect(kind === "ClusterRole" ? verbs.filter((verb) => !["list", "watch"].includes(verb)) : []).toEqual([]);
    }
  });

  test("without Gateways and agents, which show users' certificates, no Secret of another namespace is read", async () => {
    const all = await objects({ ...options, set: ["gateway.enabled=false", "agent.enabled=false"] });
    const wide = all.filter(({ kind, rules = [] }) => kind === "ClusterRole" && rules.some(isSecretsAtLarge));
    expect(wide.map(idOf)).toEqual([]);
  });
});

function isSecretsAtLarge({ resources, resourceNames }: { resources: string[]; resourceNames?: string[] }): boolean {
  return resources.includes("secrets") && resourceNames === undefined;
}

test("no object of the cluster is rendered in a namespace of one's own", async () => {
  const namespaced = valuesFiles().find(({ name }) => name === "namespaced-values.yaml");
  const all = await objects({ files: [namespaced?.path ?? ""], namespace: "ngrok-operator" });
  expect(all.filter(({ metadata }) => metadata.namespace === undefined).map(idOf)).toEqual([]);
});

test("nor is any where everything else is on", async () => {
  const on = [
    "agent.enabled=true",
    "bindings.enabled=true",
    "networkPolicy.enabled=true",
    "podDisruptionBudget.create=true",
  ];
  const namespaced = ["rbac.cluster=false", "installCRDs=false", "ingress.watchNamespace=ngrok", "replicaCount=2"];
  for (const drainPolicy of ["Retain", "Delete"]) {
    const all = await objects({ set: [...on, ...namespaced, `drainPolicy=${drainPolicy}`] });
    expect(all.length).toBeGreaterThan(30);
    expect(all.filter(({ metadata }) => metadata.namespace === undefined).map(idOf)).toEqual([]);
  }
});

test("nothing of a hook stands in a watched namespace that may be gone (F10)", async () => {
  const all = await objects({ set: ["ingress.watchNamespace=shop"] });
  // A test may fail there, an uninstall may not.
  const hooks = all.filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"]?.endsWith("-delete"));
  expect(hooks.length).toBeGreaterThan(6);
  expect(hooks.filter(({ metadata }) => metadata.namespace === "shop").map(idOf)).toEqual([]);
});

test("no template asks chance or the clock, and only the checks, and what NOTES counts, ask the cluster", async () => {
  const folder = join(CHART, "templates");
  const asking =
    /\b(lookup|rand\w+|gen(CA|Self|Signed|Private)\w*|now|htpasswd|bcrypt|uuidv4|getHostByName|encryptAES)\s/g;
  const found: string[] = [];
  for (const path of await readdir(folder, { recursive: true })) {
    if (!/\.(ya?ml|tpl|txt)$/.test(path)) continue;
    const text = await readFile(join(folder, path), "utf8");
    for (const [action] of text.matchAll(/\{\{(?!-? *\/\*)[^]*?\}\}/g)) {
      // What stands in quotes is said to people.
      for (const [, name] of action.replaceAll(/"[^"]*"/g, '""').matchAll(asking)) found.push(`${path}: ${name}`);
    }
  }
  expect([...new Set(found)].toSorted()).toEqual(["_checks.tpl: lookup", "_counts.tpl: lookup"]);
});
