// The program ngrok-drain: the process's arguments, environment, streams and signals, handed to the command line.
import process from "node:process";
import { createInterface } from "node:readline";
import { systemClock } from "#wire/clock.ts";
import { ngrokDrain } from "./program.ts";

const stop = new AbortController();
// A second signal ends the process at once.
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => stop.abort(new Error(`${name} was received`)));
// `| head` closes the pipe when it has seen enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await ngrokDrain(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  ask: async (question) => {
    process.stderr.write(question);
    // Without a terminal and without a pipe the input ends at once.
    using lines = createInterface({ input: process.stdin });
    for await (const line of lines) return line;
    return undefined;
  },
  signal: stop.signal,
  clock: systemClock,
});
