// The command line by itself: help that teaches, and errors of one line with a remedy.
import { expect, test } from "vitest";
import { systemClock } from "#wire/clock.ts";
import { ngrokDrain } from "./program.ts";

async function typed(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const code = await ngrokDrain(argv, {
    env: {},
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    ask: async () => undefined,
    signal: new AbortController().signal,
    clock: systemClock,
  });
  return { code, out, err };
}

test.for(["plan", "status", "policy", "cancel", "run", "rescue", "report"])(
  "%s --help has examples and exit codes",
  async (name) => {
    const { code, out, err } = await typed(name, "--help");
    expect(out).toMatch(new RegExp(`Examples:\\n +ngrok-drain ${name}`));
    expect(out).toMatch(/Exit codes: 0 /);
    expect(out).toContain("--kubeconfig");
    expect({ code, err }).toEqual({ code: 0, err: "" });
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
