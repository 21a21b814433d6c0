// The command line by itself: help that teaches, and errors of one line with a remedy.
import { expect, test } from "vitest";
import { typed } from "#test/support/typed.ts";

test.for(["plan", "status", "policy", "cancel", "run", "rescue", "report", "completion"])(
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
