// The programs are what the modules pin: their versions are read from there, and nothing old is reused after a change.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheKey, checkBuilds, clusterBuilds, goEnvironment, ruleBuilds, testBuilds, versions } from "./recipe.ts";

const goMod = await readFile(join(import.meta.dirname, "go.mod"), "utf8");

test("versions are read from require lines, indirect or not, and a missing module is named", () => {
  const version = versions(
    "module m\n\nrequire a.example/one v1.2.3\n\nrequire (\n\tb.example/two v0.1.0 // indirect\n)\n",
  );
  expect(version("a.example/one")).toBe("v1.2.3");
  expect(version("b.example/two")).toBe("v0.1.0");
  expect(() => version("c.example/three")).toThrow("go.mod requires no c.example/three");
});

test("Kubernetes' programs, containerd and both Helms come out with the versions that go.mod pins", () => {
  const [main, helm3, runc] = clusterBuilds(goMod);
  const version = versions(goMod);
  const flags = main?.args.join(" ") ?? "";
  expect(flags).toContain(`version.gitVersion=${version("k8s.io/kubernetes")} `);
  expect(flags).toContain(`helm/v4/internal/version.version=${version("helm.sh/helm/v4")} `);
  expect(helm3?.args).toEqual(main?.args); // other flags would compile everything a second time
  expect(runc && goEnvironment(runc)["CGO_ENABLED"]).toBe("1");
  expect(main && goEnvironment(main)).toEqual({ CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false", GOGC: "off" });
});

test("every program of the recipe is a tool of the module, so that `go mod tidy` keeps it", () => {
  const tools = [...goMod.matchAll(/^\t(\S+)$/gm)].map(([, path]) => path);
  for (const build of clusterBuilds(goMod)) for (const path of build.packages) expect(tools).toContain(path);
});

test("the tests' programs and the checkers are tools of their modules too", async () => {
  const testing = await readFile(join(import.meta.dirname, "testing/go.mod"), "utf8");
  for (const build of testBuilds(testing)) for (const path of build.packages) expect(testing).toContain(`\t${path}\n`);
  const checks = await readFile(join(import.meta.dirname, "checks/go.mod"), "utf8");
  for (const build of checkBuilds()) for (const path of build.packages) expect(checks).toContain(`\t${path}\n`);
  const rules = await readFile(join(import.meta.dirname, "rules/go.mod"), "utf8");
  for (const build of ruleBuilds()) for (const path of build.packages) expect(rules).toContain(`tool ${path}\n`);
});

test("the cache key changes with each part and with where one ends", () => {
  const key = cacheKey("mod", "sum", [{ packages: ["p"], args: [] }]);
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(cacheKey("mod", "sum", [{ packages: ["p"], args: [] }])).toBe(key);
  expect(cacheKey("mod", "sum", [{ packages: ["p"], args: ["-x"] }])).not.toBe(key);
  expect(cacheKey("mods", "um", [{ packages: ["p"], args: [] }])).not.toBe(key);
});
