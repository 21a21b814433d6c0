// README.md at its word: what a stranger with a cluster of their own types, from the first line to the uninstall. What it leaves
// to the reader - registry, digest, keys - is filled in, and where ngrok stands.
import { expect } from "vitest";
import { featuresOf } from "#scripts/demo/features.ts";
import { CA, startNgrok, valuesOf } from "#scripts/demo/fronts.ts";
import { command } from "#tools/command.ts";
import { blocksOf, inlineOf } from "#test/support/readme.ts";
import { test } from "#test/support/scene.ts";
import { TOP } from "#test/support/stage.ts";

const KEY = "stand-in-key";
const NAMESPACE = "ngrok-operator";

test("a stranger with the README installs, tries an Ingress, sees what an uninstall would do, and uninstalls", async ({
  scene,
}) => {
  const { stage } = scene;
  const { kubectl } = stage;
  const { bin, kubeconfig, hostIp } = stage.cluster;
  await using ngrok = await startNgrok(featuresOf("agent").ways, { host: hostIp, name: hostIp }, KEY);
  const { api, fronts } = ngrok;
  const [registry = "", digest = ""] = stage.image.split(/\/operator@/);
  const { "agent.enabled": _agents, ...reach } = valuesOf(fronts);
  const where = Object.entries({ ...reach, apiURL: `http://${hostIp}:${api.port}`, "image.repository": "operator" });
  const more = where.flatMap(([name, value]) => ["--set", `${name}=${value}`]).join(" ");
  const filled = (text: string): string => {
    const known = text
      .replaceAll("REGISTRY", registry)
      .replaceAll("sha256:...", digest)
      .replace("API_KEY=...", `API_KEY=${KEY}`)
      .replace("AUTHTOKEN=...", "AUTHTOKEN=unused");
    return known.includes("helm install") ? `${known.trimEnd()} ${more}` : known;
  };
  const type = async (text: string): Promise<string> =>
    await command("bash", ["-ec", filled(text)], {
      cwd: TOP,
      env: { PATH: `${bin}:${process.env["PATH"]}`, KUBECONFIG: kubeconfig },
      timeout: 300_000,
    });
  // What another test has had there may still be going.
  await kubectl.run(["wait", "--for=delete", `namespace/${NAMESPACE}`, "--timeout=150s"]);

  try {
    const [install = ""] = await blocksOf("README.md", "Install it on your own cluster");
    const [namespaceLine = "", ...rest] = install.split("\n");
    await type(namespaceLine);
    await kubectl.run(["-n", NAMESPACE, "create", "configmap", CA, `--from-literal=ca.crt=${fronts.edge?.ca}`]);
    await type(rest.join("\n"));
    await kubectl.run(["create", "service", "clusterip", "hello", "--tcp=80:8080"]);
    const [ingress = "", preview = ""] = await blocksOf("README.md", "Try an Ingress");
    expect(await type(ingress)).toMatch(/ingress.*hello.example.com[^]*agentendpoint/);
    expect(await type(preview)).toMatch(/Retain[^]*Delete/);
    const inline = await inlineOf("README.md", "Uninstall it");
    // There is no log of a hook before the uninstall.
    const now = inline.filter((line) => !/ logs |delete kubernetesoperator/.test(line));
    expect(now.length).toBeGreaterThan(4);
    expect(now.filter((line) => line.startsWith("helm test"))).toHaveLength(1);
    for (const line of now) await type(line.replace(/ -w$/, ""));
    const troubles = await inlineOf("README.md", "Troubleshooting, by message");
    const [forward, look] = ["port-forward", "curl"].map((word) => troubles.find((line) => line.includes(word)));
    const readiness = await type(
      `${forward} & trap "kill $!" EXIT; timeout 240 sh -c 'until ${look}; do sleep 1; done'`,
    );
    expect(readiness).toMatch(/^\[\+\] /m);
    const [uninstall = ""] = await blocksOf("README.md", "Uninstall it");
    await type(uninstall);
    expect(await kubectl.run(["get", "ingress", "hello", "-o", "jsonpath={.metadata.finalizers}"])).toBe("");
  } finally {
    await stage.helm(4, ["uninstall", "ngrok-operator", "-n", NAMESPACE, "--no-hooks", "--ignore-not-found"]);
    await kubectl.run(["delete", "ingress,service", "hello", "--ignore-not-found"]);
    await kubectl.run(["delete", "domains,agentendpoints", "--all", "--ignore-not-found"]);
    await kubectl.run(["delete", "namespace", NAMESPACE, "--wait=false"]);
  }
  expect(await scene.residue()).toEqual([]);
});
