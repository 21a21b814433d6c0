// After an uninstall comes an install: under Retain it takes up again what stayed, under Delete it begins anew.
import { expect } from "vitest";
import type { Kubectl } from "#test/support/kubectl.ts";
import type { NgrokApi } from "#test/support/ngrok-api/server.ts";
import { carriers } from "#test/support/residue.ts";
import { test } from "#test/support/scene.ts";

const kinds = "cloudendpoints,domains,ippolicies";

test("after Retain the same objects at ngrok are taken up again, and none is made twice (F17)", async ({ scene }) => {
  const { stage, ngrok } = scene;
  const first = await scene.install({ helm: 3 });
  await scene.populate(9);
  const ids = await remoteIds(stage.kubectl);
  expect(ids).toHaveLength(9);
  expect((await first.uninstall()).code).toBe(0);
  expect(await remoteIds(stage.kubectl)).toEqual(ids);
  const made = madeAtNgrok(ngrok);

  const second = await scene.install({ helm: 4 });
  await claimed(stage.kubectl);
  const run = await second.uninstall();

  expect(run.code, run.stderr).toBe(0);
  expect(await remoteIds(stage.kubectl)).toEqual(ids);
  expect(ngrok.remote()).toBe(9);
  expect(madeAtNgrok(ngrok)).toBe(made);
  expect(await carriers(stage.kubectl)).toEqual([]);
});

test("after Delete nothing is left to take up, and the same objects can be made anew", async ({ scene }) => {
  const { stage, ngrok } = scene;
  const values = { drainPolicy: "Delete" };
  const first = await scene.install({ helm: 4, values });
  await scene.populate(9);
  expect((await first.uninstall()).code).toBe(0);
  expect(await remoteIds(stage.kubectl)).toEqual([]);
  expect(ngrok.remote()).toBe(0);

  const second = await scene.install({ helm: 3, values });
  await scene.populate(9);
  expect(ngrok.remote()).toBe(9);
  const run = await second.uninstall();

  expect(run.code, run.stderr).toBe(0);
  expect(ngrok.remote()).toBe(0);
  expect(await carriers(stage.kubectl)).toEqual([]);
});

async function remoteIds(kubectl: Kubectl): Promise<string[]> {
  const text = await kubectl.run([
    "get",
    kinds,
    "--all-namespaces",
    "-o",
    "jsonpath={range .items[*]}{.status.id}{'\\n'}{end}",
  ]);
  return text.split("\n").filter(Boolean).toSorted();
}

/** Until every object carries our finalizer again: then each has been looked at. */
async function claimed(kubectl: Kubectl): Promise<void> {
  const condition = "--for=jsonpath={.metadata.finalizers[0]}=k8s.ngrok.com/finalizer";
  await kubectl.run(["wait", condition, kinds, "--all", "--all-namespaces", "--timeout=150s"]);
}

function madeAtNgrok(ngrok: NgrokApi): number {
  return ["/endpoints", "/reserved_domains", "/ip_policies"].reduce((sum, path) => sum + ngrok.count("POST", path), 0);
}
