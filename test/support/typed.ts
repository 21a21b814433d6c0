// A command line of ngrok-drain in this process, as a person would type it who has no cluster.
import { ngrokDrain } from "#hooks/ngrok-drain/program.ts";
import { systemClock } from "#wire/clock.ts";

export async function typed(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
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
