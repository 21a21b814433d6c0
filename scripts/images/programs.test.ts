import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { packagesOf } from "./licences.ts";
import { bundle, programs, writeBundles } from "./programs.ts";

/** A project of these files, gone with the test. */
async function aProject(files: Record<string, string>): Promise<string> {
  const top = await mkdtemp(join(tmpdir(), "project-"));
  onTestFinished(async () => await rm(top, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(top, path)), { recursive: true });
    await writeFile(join(top, path), text);
  }
  return top;
}

const DRAIN = {
  "hooks/src/drain/main.ts": `import { readFileSync } from "node:fs"; console.log(typeof readFileSync);`,
};

describe("the programs", () => {
  test("are the folders of hooks and managers that have a main.ts; a command lies beside the managers", async () => {
    const top = await aProject({
      ...DRAIN,
      "hooks/src/drain/hook.ts": "",
      "hooks/src/define-hook.ts": "",
      "hooks/src/cleanup/hook.ts": "",
      "hooks/src/ngrok-drain/main.ts": "",
      "operator/managers/api-manager/main.ts": "",
    });
    expect(programs(top).map(({ path, layer }) => `${layer}: ${path}`)).toEqual([
      "hooks: app/hooks/drain.mjs",
      "operator: app/ngrok-drain.mjs",
      "operator: app/api-manager.mjs",
    ]);
  });
});

describe("a bundle", () => {
  test("runs alone, packages in CommonJS included", async () => {
    const top = await aProject({
      "hooks/src/drain/main.ts": `import os from "old"; console.log(os.platform() as string);`,
      "node_modules/old/package.json": `{"name":"old","version":"1.0.0"}`,
      "node_modules/old/index.js": `module.exports = require("os");`,
    });
    const { bundles, metafile } = await bundle(top, programs(top));
    await writeBundles(join(top, "dist"), bundles, metafile);
    await rm(join(top, "node_modules"), { recursive: true });
    const output = execFileSync(process.execPath, [join(top, "dist/app/hooks/drain.mjs")]);
    expect(output.toString()).toBe("linux\n");
    expect(packagesOf(bundles[0]?.inputs ?? [])).toEqual(["node_modules/old"]);
  });

  test("has its map beside it, and what another version of the project left is gone", async () => {
    const top = await aProject({ ...DRAIN, "dist/app/hooks/renamed.mjs": "" });
    const { bundles, metafile } = await bundle(top, programs(top));
    await writeBundles(join(top, "dist"), bundles, metafile);
    expect((await readdir(join(top, "dist/app/hooks"))).toSorted()).toEqual(["drain.mjs", "drain.mjs.map"]);
  });

  test("is the same bytes when it is made again", async () => {
    const top = await aProject(DRAIN);
    const [one, two] = [await bundle(top, programs(top)), await bundle(top, programs(top))];
    expect(one.bundles).toEqual(two.bundles);
  });

  test("is refused when it would look for a package that no image holds", async () => {
    const top = await aProject({
      "hooks/src/drain/main.ts": `import ngrok from "@ngrok/ngrok-else"; console.log(ngrok);`,
    });
    await expect(bundle(top, programs(top))).rejects.toThrow(
      "hooks/src/drain/main.ts imports @ngrok/ngrok-else at run time",
    );
  });

  test("that needs the agent's SDK has its native library beside it, and without that it is refused", async () => {
    const name = `ngrok.linux-${process.arch}-gnu.node`;
    const addon = `node_modules/@ngrok/ngrok-linux-${process.arch}-gnu/${name}`;
    const top = await aProject({
      "operator/managers/agent-manager/main.ts": `import ngrok from "@ngrok/ngrok"; console.log(ngrok as string);`,
      "node_modules/@ngrok/ngrok/package.json": `{"name":"@ngrok/ngrok","version":"1.0.0"}`,
      "node_modules/@ngrok/ngrok/index.js": `
        const { readFileSync } = require("fs");
        module.exports = readFileSync(require("path").join(__dirname, "${name}"), "utf8");
        try { require("./${name}"); } catch {}`,
      [addon]: "native",
    });
    const { bundles, metafile } = await bundle(top, programs(top));
    await writeBundles(join(top, "dist"), bundles, metafile);
    expect((await readdir(join(top, "dist/app"))).toSorted()).toEqual([
      "agent-manager.mjs",
      "agent-manager.mjs.map",
      name,
    ]);
    const output = execFileSync(process.execPath, [join(top, "dist/app/agent-manager.mjs")]);
    expect(output.toString()).toBe("native\n");
    await rm(join(top, addon));
    await expect(writeBundles(join(top, "dist"), bundles, metafile)).rejects.toThrow(/needs .*ngrok-linux.*npm ci/);
  });

  test("leaves what reads a kubeconfig beside it, in every image, and finds it from any folder when it is asked for", async () => {
    const login = "@kubernetes/client-node/dist/config.js";
    const text = `if (process.argv[2]) console.log((await import("${login}")).KubeConfig as string); else console.log("in a pod");`;
    const top = await aProject({
      "hooks/src/drain/main.ts": text,
      "operator/managers/api-manager/main.ts": text,
      "node_modules/@kubernetes/client-node/package.json": `{"name":"@kubernetes/client-node","type":"module"}`,
      [`node_modules/${login}`]: `export const KubeConfig = "a login";`,
    });
    const { bundles, metafile } = await bundle(top, programs(top));
    await writeBundles(join(top, "dist"), bundles, metafile);
    await rm(join(top, "node_modules"), { recursive: true });
    const [drain, manager] = [join(top, "dist/app/hooks/drain.mjs"), join(top, "dist/app/api-manager.mjs")];
    expect(execFileSync(process.execPath, [drain, "kubeconfig"]).toString()).toBe("a login\n");
    expect(execFileSync(process.execPath, [manager, "kubeconfig"]).toString()).toBe("a login\n");
    await rm(join(top, "dist/app/node_modules"), { recursive: true });
    expect(execFileSync(process.execPath, [drain]).toString()).toBe("in a pod\n");
    expect(bundles.map(({ name, layer }) => `${layer}: ${name}`)).toContain("hooks: client-node");
  });

  test("that cannot be made names the file and what it misses", async () => {
    const top = await aProject({ "hooks/src/drain/main.ts": `import "./gone.ts";` });
    await expect(bundle(top, programs(top))).rejects.toThrow(/hooks\/src\/drain\/main.ts:1.*gone/);
  });
});

describe("the packages in a bundle", () => {
  test("are found by their folders, scoped and nested ones too, each once", () => {
    const inputs = ["wire/http.ts", "node_modules/pino/a.js", "node_modules/pino/b.js", "node_modules/@x/y/lib/c.js"];
    expect(packagesOf([...inputs, "node_modules/pino/node_modules/z/d.js"])).toEqual([
      "node_modules/@x/y",
      "node_modules/pino",
      "node_modules/pino/node_modules/z",
    ]);
  });
});
