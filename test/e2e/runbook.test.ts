// docs/runbook-uninstall.md at its word: each symptom is made, and the page's own command is typed against it.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { stringify } from "yaml";
import { pageCommands } from "#test/support/page-commands.ts";
import { carriers } from "#test/support/residue.ts";
import { RELEASE, type Scene, test } from "#test/support/scene.ts";
import { CHART } from "#test/support/stage.ts";

/** Long enough for Helm to make a Job and to be tired of it, also where it waits for a processor with each object before. */
const SOON = ["--timeout=20s"];
/** Until kubelet or Job controller have said what is in the way. */
const SEEN = { timeout: 180_000 };

const page = await pageCommands("runbook-uninstall.md");

async function type(scene: Scene, word: string, env: Record<string, string> = {}, cwd?: string): Promise<string> {
  return await page.type(scene, word, { env, ...(cwd === undefined ? {} : { cwd }) });
}

/** Nothing of ours is on any object, and nothing that a release has is left in the cluster. */
async function nothingLeft(scene: Scene): Promise<void> {
  expect(await carriers(scene.stage.kubectl)).toEqual([]);
  const left = await scene.leftovers();
  expect(left.filter((object) => !object.startsWith("customresourcedefinition "))).toEqual([]);
  await expect(type(scene, "proof")).rejects.toMatchObject({ code: 1, stderr: "" });
}

test("1: a hook image that cannot be pulled (W19)", async ({ scene }) => {
  const image = { registry: "127.0.0.1:1", repository: "nobody", digest: `sha256:${"0".repeat(64)}` };
  const values = Object.fromEntries(Object.entries(image).map(([key, value]) => [`cleanupHook.image.${key}`, value]));
  const release = await scene.install({ values });
  await scene.populate(3);
  expect((await release.uninstall(SOON)).code).not.toBe(0);
  await expect.poll(async () => await type(scene, "look"), SEEN).toMatch(/ErrImagePull|ImagePullBackOff|Pulling/);

  await type(scene, "pull");

  await nothingLeft(scene);
  expect(scene.ngrok.remote()).toBe(3);
});

test("1: a hook pod that no node has room for (W19)", async ({ scene }) => {
  const cpu = { "cleanupHook.resources.requests.cpu": 1_000, "cleanupHook.resources.limits.cpu": 1_000 };
  const release = await scene.install({ values: { drainPolicy: "Delete", ...cpu } });
  await scene.populate(3);
  expect((await release.uninstall(SOON)).code).not.toBe(0);
  await expect.poll(async () => await type(scene, "look"), SEEN).toMatch(/Pending[^]*FailedScheduling/);

  await type(scene, "pull");

  await nothingLeft(scene);
  expect(scene.ngrok.remote()).toBe(0);
});

test("1: an upgrade that named the image, and the rollback that takes it back (W19)", async ({ scene }) => {
  const release = await scene.install({ helm: 3 });
  await scene.populate(3);
  const more = ["--reuse-values", "--set", "image.digest=,image.tag=never-built"];
  const upgrade = await scene.stage.helm(3, ["upgrade", RELEASE, CHART, "-n", scene.namespace, ...more]);
  expect(upgrade.code, upgrade.stderr).toBe(0);
  expect((await release.uninstall(SOON)).code).not.toBe(0);

  await type(scene, "back", { REVISION: "1" });

  await nothingLeft(scene);
  expect(scene.ngrok.remote()).toBe(3);
});

test("2: a quota that admits no hook pod (F10)", async ({ scene }) => {
  const { kubectl } = scene.stage;
  const release = await scene.install({ helm: 3, values: { drainPolicy: "Delete" } });
  await scene.populate(3);
  const quota = ["create", "quota", "full", "--hard=pods=0"];
  await kubectl.run(["-n", scene.namespace, ...quota]);
  expect((await release.uninstall(SOON)).code).not.toBe(0);
  await expect.poll(async () => await type(scene, "look"), SEEN).toMatch(/exceeded quota/);

  await type(scene, "quota");

  await nothingLeft(scene);
  expect(scene.ngrok.remote()).toBe(0);
});

test("2: pod security that admits no hook pod, but has let the operator's in before (F10)", async ({ scene }) => {
  const folder = { "extraVolumes[0].name": "theirs", "extraVolumes[0].hostPath.path": "/tmp" };
  const release = await scene.install({ values: folder });
  await scene.populate(3);
  const level = ["label", "namespace", scene.namespace, "pod-security.kubernetes.io/enforce=restricted"];
  await scene.stage.kubectl.run(level);
  expect((await release.uninstall(SOON)).code).not.toBe(0);
  await expect.poll(async () => await type(scene, "look"), SEEN).toMatch(/violates PodSecurity/);

  await type(scene, "quota");

  await nothingLeft(scene);
  expect(scene.ngrok.remote()).toBe(3);
});

test("3: no pod of the operator (F3)", async ({ scene }) => {
  const { kubectl } = scene.stage;
  const at = ["-n", scene.namespace];
  await scene.install();
  await scene.populate(3);
  const all = ["deployment", "-l", `app.kubernetes.io/instance=${RELEASE}`];
  await kubectl.run([...at, "scale", ...all, "--replicas=0"]);

  await type(scene, "dead");

  await nothingLeft(scene);
  expect(scene.ngrok.remote()).toBe(3);
});

test("4: a key that ngrok refuses (F15)", async ({ scene }) => {
  const release = await scene.install({ values: { drainPolicy: "Delete" } });
  await scene.populate(3);
  scene.ngrok.keys.revoke("stand-in-key");
  expect((await release.uninstall()).code).not.toBe(0);
  expect(await type(scene, "look")).toMatch(/policy Delete needs ngrok's API/);

  await type(scene, "key");

  await nothingLeft(scene);
  expect(scene.ngrok.remote()).toBe(3);
});

test("5: a foreign finalizer on an object whose CRD goes (F14)", async ({ scene }) => {
  const { kubectl } = scene.stage;
  const [NAMESPACE] = scene.namespaces;
  const release = await scene.install({ helm: 3, values: { "crds.keep": false } });
  await scene.populate(3);
  const FINALIZER = "example.com/hold";
  const hold = JSON.stringify([{ op: "add", path: "/metadata/finalizers/-", value: FINALIZER }]);
  await kubectl.run(["-n", NAMESPACE, "patch", "cloudendpoint/demo-1", "--type=json", "-p", hold]);
  expect((await release.uninstall()).code).not.toBe(0);
  expect(await type(scene, "look")).toContain(`cloudendpoint ${NAMESPACE}/demo-1 still carries ${FINALIZER}`);

  await type(scene, "foreign", { NAMESPACE, KIND: "cloudendpoint", NAME: "demo-1", FINALIZER });

  expect(await carriers(kubectl)).toEqual([]);
  expect(await scene.leftovers()).toEqual([]);
  expect(scene.ngrok.remote()).toBe(3);
});

test("6: an uninstall without hooks (F2, W19)", async ({ scene }) => {
  const { kubectl } = scene.stage;
  const release = await scene.install({ values: { drainPolicy: "Delete" } });
  await scene.populate(3);
  expect((await release.uninstall(["--no-hooks"])).code).toBe(0);
  expect(await carriers(kubectl)).not.toEqual([]);
  const secret = ["create", "secret", "generic", "key", "--from-literal=API_KEY=stand-in-key"];
  await kubectl.run(["-n", scene.namespace, ...secret]);

  const values = { drainPolicy: "Delete", credentials: { secret: { name: "key" } } };
  await inFolderWithValues(scene, values, async (folder) => {
    await type(scene, "gone", {}, folder);
  });
  await type(scene, "sweep");

  await nothingLeft(scene);
  expect(scene.ngrok.remote()).toBe(0);
});

test("6: a namespace that is deleted while no operator runs (F16, E21)", async ({ scene }) => {
  const { kubectl } = scene.stage;
  await scene.install();
  await scene.populate(3);
  const all = ["deployment", "-l", `app.kubernetes.io/instance=${RELEASE}`];
  await kubectl.run(["-n", scene.namespace, "scale", ...all, "--replicas=0"]);
  await kubectl.run(["-n", scene.namespace, "wait", "--for=delete", "pod", "--all", "--timeout=150s"]);
  await kubectl.run(["delete", "namespace", scene.namespace, "--wait=false"]);

  await type(scene, "namespace");
  await inFolderWithValues(scene, { drainPolicy: "Retain" }, async (folder) => {
    await type(scene, "gone", {}, folder);
  });
  await type(scene, "sweep");

  await nothingLeft(scene);
  expect(scene.ngrok.remote()).toBe(3);
});

/** The values of the install in `values.yaml`, as a person would have kept them. */
async function inFolderWithValues(
  scene: Scene,
  values: object,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const [name = "", digest = ""] = scene.stage.image.split("@");
  const at = name.lastIndexOf("/");
  const image = { registry: name.slice(0, at), repository: name.slice(at + 1), digest };
  const folder = await mkdtemp(join(tmpdir(), "runbook-"));
  await writeFile(join(folder, "values.yaml"), stringify({ image, apiURL: scene.ngrok.url, ...values }));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
