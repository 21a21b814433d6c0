import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { VERSION } from "./version.ts";

test("package and chart say the same version as the programs", () => {
  const read = (path: string): unknown => parse(readFileSync(new URL(path, import.meta.url), "utf8"));
  expect(read("../package.json")).toMatchObject({ version: VERSION });
  expect(read("../chart/Chart.yaml")).toMatchObject({ appVersion: VERSION });
});
