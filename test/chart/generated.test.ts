// What is checked in follows from the definitions, and a new definition needs no template.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allow } from "#api/rbac.ts";
import { Domain } from "#api/domain.ts";
import { agentManager } from "#operator/managers/agent-manager/manager.ts";
import { apiManager } from "#operator/managers/api-manager/manager.ts";
import { bindingsForwarderManager } from "#operator/managers/bindings-forwarder-manager/manager.ts";
import { generatedFiles, OWNED_FOLDERS } from "#scripts/generate/everything.ts";
import { hookFiles, type HookDefinition } from "#scripts/generate/hooks.ts";
import { ConfigMap, Namespace } from "#kube/kinds.ts";
import { CHART, objects, podsOf, type Rendered } from "./helm.ts";

const TOP = join(CHART, "..");

test.for([...generatedFiles()])("$path is what its definition says", ({ path, text }) => {
  expect(readFileSync(join(TOP, path), "utf8")).toBe(text);
});

test.for(OWNED_FOLDERS)("%s holds nothing that follows from no definition", (folder) => {
  const paths = generatedFiles().map((file) => file.path);
  expect(
    readdirSync(join(TOP, folder))
      .map((name) => `${folder}/${name}`)
      .filter((path) => !paths.includes(path)),
  ).toEqual([]);
});

test.for([apiManager, agentManager, bindingsForwarderManager])(
  "every flag that the chart passes is one that the $name has",
  async (manager, { expect }) => {
    const all = await objects({
      files: [join(import.meta.dirname, "values", "reference.yaml")],
      set: [
        "apiURL=http://x",
        "region=eu",
        "serverAddr=s:1",
        "agent.enabled=true",
        `oneClickDemoMode=${manager === apiManager}`,
      ],
    });
    const own = podsOf(all)
      .flatMap(({ pod }) => pod.containers)
      .filter(({ command }) => command.includes(`/app/${manager.name}.mjs`));
    const flags = own.flatMap(({ args = [] }) => args).map((arg) => /^--([^=]+)=/.exec(arg)?.[1]);
    expect(flags.length).toBeGreaterThan(9);
    expect(flags.filter((flag) => !manager.flags.some(({ name }) => name === flag))).toEqual([]);
  },
);

describe("a third hook", () => {
  const rehearsal: HookDefinition = {
    name: "rehearsal",
    phase: "pre-delete",
    weight: 5,
    summary: "Says what an uninstall would do.",
    rbac: [
      allow(Domain, ["list"], { why: "count them" }),
      allow(Domain, ["get", "list"], { why: "count them again" }),
      allow(ConfigMap, ["get", "create"], { scope: "release", named: "drainState", why: "read the state" }),
      allow(Namespace, ["get"], { scope: "cluster", why: "tell a namespace that is gone" }),
    ],
    env: {
      RELEASE_NAME: { from: "helm", value: ".Release.Name", why: "whose" },
      POD_NAME: { from: "field", path: "metadata.name", why: "who" },
      NGROK_API_KEY: { from: "secret", key: "API_KEY", why: "count at ngrok" },
    },
  };

  test("gets its Job, ServiceAccount, Roles and bindings", async () => {
    const own = await rendered(rehearsal, []);
    expect(own.map(({ kind }) => kind)).toEqual([
      "ClusterRole",
      "ClusterRoleBinding",
      "Job",
      "Role",
      "RoleBinding",
      "ServiceAccount",
    ]);
    const job = own.find(({ kind }) => kind === "Job");
    expect(job?.metadata.annotations).toMatchObject({ "helm.sh/hook": "pre-delete", "helm.sh/hook-weight": "5" });
    const container = job?.spec?.template?.spec.containers[0];
    expect(container?.command?.[0]).toBe("/usr/local/bin/node");
    expect(container?.command?.at(-1)).toBe("/app/hooks/rehearsal.mjs");
    expect(container?.env).toEqual([
      { name: "MALLOC_ARENA_MAX", value: "1" },
      { name: "RELEASE_NAME", value: "edge" },
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      {
        name: "NGROK_API_KEY",
        valueFrom: { secretKeyRef: { name: "edge-ngrok-operator-credentials", key: "API_KEY", optional: true } },
      },
    ]);
    expect(own.find(({ kind }) => kind === "ClusterRole")?.rules).toEqual([
      { apiGroups: [""], resources: ["namespaces"], verbs: ["get"] },
      { apiGroups: ["ingress.k8s.ngrok.com"], resources: ["domains"], verbs: ["get", "list"] },
    ]);
    expect(own.find(({ kind }) => kind === "Role")?.rules).toEqual([
      { apiGroups: [""], resources: ["configmaps"], verbs: ["create"] },
      {
        apiGroups: [""],
        resources: ["configmaps"],
        resourceNames: ["edge-ngrok-operator-drain-state"],
        verbs: ["get"],
      },
    ]);
  });

  test("has its rights of lower weight than its Job", async () => {
    const rights = (await rendered(rehearsal, [])).filter(({ kind }) => kind !== "Job");
    for (const { metadata } of rights) expect(metadata.annotations).toMatchObject({ "helm.sh/hook-weight": "-5" });
  });

  test("looks into a watched namespace by a binding of the release", async () => {
    const own = await rendered(rehearsal, ["ingress.watchNamespace=shop"]);
    const there = own.filter(({ metadata }) => metadata.namespace === "shop");
    expect(there.map(({ kind, metadata }) => [kind, metadata.name])).toEqual([
      ["Role", "edge-ngrok-operator-rehearsal-watch"],
      ["RoleBinding", "edge-ngrok-operator-rehearsal-watch"],
    ]);
    for (const { metadata } of there) expect(metadata.annotations).toBeUndefined();
  });

  test("after the uninstall gets a Secret of its own, and the watched namespace by a ClusterRole", async () => {
    const after: HookDefinition = { ...rehearsal, phase: "post-delete" };
    const own = await rendered(after, [
      "ingress.watchNamespace=shop",
      "credentials.apiKey=k",
      "credentials.authtoken=t",
    ]);
    expect(own.filter(({ metadata }) => metadata.namespace === "shop")).toEqual([]);
    expect(own.some(({ kind }) => kind === "Secret")).toBe(true);
    expect(own.find(({ kind }) => kind === "ClusterRole")?.rules).toHaveLength(2);
  });

  test("after the uninstall stays in one namespace when told so", async () => {
    const after: HookDefinition = { ...rehearsal, phase: "post-delete" };
    const own = await rendered(after, ["ingress.watchNamespace=ngrok", "rbac.cluster=false"]);
    expect(own.map(({ kind }) => kind)).toEqual([
      "Job",
      "Role",
      "Role",
      "RoleBinding",
      "RoleBinding",
      "ServiceAccount",
    ]);
  });

  /** The hook's objects, rendered from a copy of the chart that has its generated templates. */
  async function rendered(hook: HookDefinition, set: readonly string[]): Promise<Rendered[]> {
    const chart = mkdtempSync(join(tmpdir(), "chart-"));
    try {
      await cp(CHART, chart, { recursive: true });
      for (const { path, text } of hookFiles(hook)) writeFileSync(join(chart, path.replace("chart/", "")), text);
      const all = await objects({ chart, set: [...set, "installCRDs=false"] });
      return all.filter(({ metadata }) => metadata.name.includes(`-${hook.name}`));
    } finally {
      rmSync(chart, { recursive: true });
    }
  }
});
