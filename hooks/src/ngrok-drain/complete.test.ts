// Completion as words: from the commands that there are, and from nothing else.
import { expect, test } from "vitest";
import { typed } from "#test/support/typed.ts";

async function completed(...words: string[]): Promise<{ words: string[]; files: boolean }> {
  const { code, out, err } = await typed("__complete", ...words);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const lines = out.trimEnd().split("\n");
  return {
    words: lines.slice(0, -1).map((line) => line.split("\t")[0] ?? ""),
    files: lines.at(-1) === ":0",
  };
}

test.for([
  [[""], ["plan", "status", "policy", "cancel", "run", "rescue", "report", "completion"]],
  [["p"], ["plan", "policy"]],
  [["-n", "ops", "st"], ["status"]],
  [
    ["plan", "--policy", ""],
    ["Retain", "Delete"],
  ],
  [["plan", "--policy", "D"], ["Delete"]],
  [["plan", "--policy=R"], ["--policy=Retain"]],
  [
    ["plan", "--policy", "="],
    ["Retain", "Delete"],
  ],
  [["plan", "--policy", "=", "R"], ["Retain"]],
  [
    ["plan", "-o", ""],
    ["text", "json"],
  ],
  [["policy", ""], ["Retain"]],
  [["policy", "Retain", ""], []],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [
    ["status", "--w"],
    ["--watch", "--watch-namespace"],
  ],
  [["rescue", "ngrok-operator", "--d"], ["--dry-run"]],
  [["plan", "-n", ""], []],
] as const)("%j is completed by %j", async ([words, candidates], { expect }) => {
  expect(await completed(...words)).toEqual({ words: [...candidates], files: false });
});

test("every flag that the help shows is offered, and a path is left to the shell", async () => {
  const { out } = await typed("run", "--help");
  const shown = new Set([...out.matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag]) => flag));
  expect(shown.size).toBeGreaterThan(8);
  expect(new Set((await completed("run", "--")).words)).toEqual(shown);
  expect(await completed("run", "--kubeconfig", "")).toEqual({ words: [], files: true });
});
