// Which image a pod runs: a repository that names its own registry is not put behind another one.
import { expect, test } from "vitest";
import { objects, podsOf } from "./helm.ts";

/** The one image of the Deployments, and that of the hooks. */
async function imagesOf(...set: string[]): Promise<(string | undefined)[]> {
  const pods = podsOf(await objects({ set: ["bindings.enabled=true", "installCRDs=false", ...set] }));
  return ["Deployment ", "Job "].flatMap((kind) => {
    const of = pods.filter(({ id }) => id.startsWith(kind)).map(({ pod }) => pod.containers[0]?.image);
    expect(of).toHaveLength(3);
    return [...new Set(of)];
  });
}

const OURS = /^docker\.io\/ngrok\/ngrok-operator:\d/;

test.for([
  ["registry.corp/tools/kube-cli", "registry.corp/tools/kube-cli:1"],
  ["reg.corp:5000/tools/kube-cli", "reg.corp:5000/tools/kube-cli:1"],
  ["localhost/kube-cli", "localhost/kube-cli:1"],
  ["tools/kube-cli", "docker.io/tools/kube-cli:1"],
  ["kube.cli", "docker.io/kube.cli:1"],
] as const)("the hooks' repository %s, as chart 0.24 took it, is %s", async ([repository, image]) => {
  const own = [`cleanupHook.image.repository=${repository}`, "cleanupHook.image.tag=a1"];
  const [main, hook] = await imagesOf(...own);
  expect(main).toMatch(OURS);
  expect(hook).toBe(image.replace(/:1$/, ":a1"));
  // The registry of the operator's image was not meant for it.
  const full = image.startsWith(repository);
  const [, beside] = await imagesOf(...own, "image.registry=mirror.local");
  expect(beside).toBe(full ? hook : `mirror.local/${repository}:a1`);
});

test("a registry that is said for the hooks, or for all images, is put before any repository", async () => {
  const own = ["cleanupHook.image.repository=registry.corp/kube-cli", "cleanupHook.image.tag=a1"];
  const [, hook] = await imagesOf(...own, "cleanupHook.image.registry=mirror.local");
  expect(hook).toBe("mirror.local/registry.corp/kube-cli:a1");
  const [main, shared] = await imagesOf(...own, "global.imageRegistry=mirror.local");
  expect(main).toMatch(/^mirror\.local\/ngrok\/ngrok-operator:/);
  expect(shared).toBe(hook);
});

test("the operator's repository may name its registry too, and one that is said is put before it", async () => {
  const own = ["image.repository=registry.local:5000/ngrok/operator", "image.tag=a1"];
  expect(await imagesOf(...own)).toEqual(Array(2).fill("registry.local:5000/ngrok/operator:a1"));
  const harbor = ["image.repository=quay.io/ngrok/operator", "image.registry=mirror.local", "image.tag=a1"];
  expect(await imagesOf(...harbor)).toEqual(Array(2).fill("mirror.local/quay.io/ngrok/operator:a1"));
});
