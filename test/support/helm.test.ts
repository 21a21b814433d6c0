// The hook's lines are the same whichever Helm printed them.
import { expect, test } from "vitest";
import { hookLines } from "./helm.ts";

const log = ["03:12:04 drain     release a/b policy Retain", "03:12:05 done      3 objects, 1.0s"];

test("Helm 3 prints a hook's log as it is, among its own lines", () => {
  expect(hookLines({ stderr: ["Error: something", ...log, ""].join("\n") })).toEqual(log);
});

test("Helm 4 prints pieces of it as one escaped line each", () => {
  const stderr = `level=INFO msg="${log.join("\\n")}\\n"\nlevel=WARN msg="no hook"\nlevel=INFO msg="${log[1]}"`;
  expect(hookLines({ stderr })).toEqual([...log, log[1]]);
});
