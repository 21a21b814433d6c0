// The house stands as the plan draws it: checked on the import graph that the code really has.
import { describe, expect, test } from "vitest";
import { parseFile, sourceFiles } from "./graph.ts";
import { violations } from "./rules.ts";

const files = sourceFiles();

test("the graph is the real one: it has files in every room, and an import that everybody knows", () => {
  for (const room of ["wire", "kube", "api", "ngrok", "drain", "hooks", "operator", "scripts", "tools", "test"]) {
    expect(files.map(({ path }) => path.split("/")[0])).toContain(room);
  }
  const drive = files.find(({ path }) => path === "drain/drive.ts");
  expect(drive?.imports.map(({ to }) => to)).toContain("drain/execute.ts");
});

test("no rule of the house is broken", () => {
  expect(violations(files)).toEqual([]);
});

describe("a planted violation is found", () => {
  const planted = (path: string, text: string) => violations([parseFile(path, text)]);
  test.for([
    ["an upward import", "kube/x.ts", 'import { mark } from "#drain/state.ts"; export const a = mark;'],
    ["a re-export upward", "kube/x.ts", 'export { mark } from "#drain/state.ts";'],
    ["a dynamic import upward", "kube/x.ts", 'export const a = () => import("../drain/state.ts");'],
    ["the type form of an import", "kube/x.ts", 'export type A = import("../drain/state.ts").Mark;'],
    ["a type import upward", "wire/x.ts", 'import type { Kind } from "#kube/kind.ts"; export type A = Kind;'],
    [
      "a value of ngrok in the drain",
      "drain/x.ts",
      'import { connectNgrok } from "#ngrok/client.ts"; export const a = connectNgrok;',
    ],
    [
      "a test file's tool in the product",
      "drain/x.ts",
      'import { aDomain } from "#test/support/builders.ts"; export const a = aDomain;',
    ],
    [
      "one controller in another",
      "operator/controllers/a/x.ts",
      'import { b } from "../b/plan.ts"; export const a = b;',
    ],
    [
      "the client library outside kube",
      "drain/x.ts",
      'import { KubeConfig } from "@kubernetes/client-node"; export const a = KubeConfig;',
    ],
    ["the environment outside main", "drain/x.ts", "export const a = process.env;"],
    ["work at import", "drain/x.ts", "console.log(1);"],
    ["a clock in a pure file", "drain/report.ts", "export const a = () => Date.now();"],
    ["a name of its own for calls", "hooks/x.ts", "export const a = { userAgent: `ngrok-x/1` };"],
    ["a barrel", "api/index.ts", "export const a = 1;"],
    [
      "the drain in the residue count",
      "test/support/residue.ts",
      'import { rows } from "#drain/kinds.ts"; export const a = rows;',
    ],
    [
      "the client in the stand-in",
      "test/support/ngrok-api/x.ts",
      'import type { NgrokPort } from "#ngrok/client.ts"; export type A = NgrokPort;',
    ],
  ] as const)("%s", ([, path, text], { expect }) => {
    expect(planted(path, text)).toHaveLength(1);
  });
});
