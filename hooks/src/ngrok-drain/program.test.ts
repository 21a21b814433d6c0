// The command line by itself: help that teaches, and errors of one line with a remedy.
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { typed } from "#test/support/typed.ts";

const COMMANDS = ["plan", "status", "policy", "cancel", "run", "rescue", "report", "completion"];

test.for(COMMANDS)("%s --help has examples and exit codes", async (name) => {
  const { code, out, err } = await typed(name, "--help");
  expect(out).toMatch(new RegExp(`Examples:\\n +ngrok-drain ${name}`));
  expect(out).toMatch(/Exit codes: 0 /);
  expect(out).toContain("--kubeconfig");
  expect({ code, err }).toEqual({ code: 0, err: "" });
});

test.for(COMMANDS)(
  "the exit codes of %s are those of the page, and mean there what they mean everywhere",
  async (name) => {
    const page = await readFile(new URL("../../../docs/ngrok-drain.md", import.meta.url), "utf8");
    const row = page.split("\n").find((line) => line.startsWith(`| \`${name}`)) ?? "";
    const help = (await typed(name, "--help")).out.replaceAll(/\s+/g, " ");
    const codes = (text: string) => new Set([...text.matchAll(/(?:^|, |; )(\d)\b/g)].map(([, code]) => code));
    const told = codes(/Exit codes: (.*?)\. /.exec(help)?.[1] ?? "");
    // An error is 1 in all of them, which the page says once.
    expect(codes(row.split("|").at(-2)?.trim() ?? "").add("1")).toEqual(told.add("1"));
    for (const code of told) expect((await typed("--help")).out).toMatch(new RegExp(`^ +${code} {2}\\w`, "m"));
  },
);

test.for([
  [["plam"], /unknown command 'plam'/],
  [["policy"], /missing required argument 'policy'/],
  [["plan", "--polisy", "Retain"], /unknown option '--polisy'/],
  [["plan", "-o", "yaml"], /argument 'yaml' is invalid. Allowed choices are text, json/],
  [["status", "--kubeconfig", "/nowhere"], /^ngrok-drain: .*\/nowhere cannot be read.*\nremedy: .*\n$/],
  [["status"], /^ngrok-drain: no Kubernetes cluster is named\nremedy: .*\n$/],
] as const)("%s is refused", async ([argv, said]) => {
  const { code, out, err } = await typed(...argv);
  expect(err).toMatch(said);
  expect({ code, out }).toEqual({ code: 1, out: "" });
});
