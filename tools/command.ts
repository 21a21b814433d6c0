// One program run to its end: what it printed, or an error that says which program failed and what it said last.
import { execFile } from "node:child_process";

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to its standard input. */
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds until it is killed; none by default, since a cold build takes minutes. */
  readonly timeout?: number;
  /** Ends it when this process ends, however that happens. */
  readonly diesWithParent?: boolean;
}

export class CommandFailed extends Error {
  readonly program: string;
  readonly code: number | string | undefined;
  readonly stderr: string;

  constructor(program: string, args: readonly string[], code: number | string | undefined, stderr: string) {
    const said = stderr.trim().split("\n").slice(-8).join("\n");
    const why = code === "ENOENT" ? "is not on PATH" : `failed (${code ?? "killed"})`;
    super(`${program} ${args.slice(0, 3).join(" ")}${args.length > 3 ? " ..." : ""}: ${why}${said && `\n${said}`}`);
    this.name = "CommandFailed";
    this.program = program;
    this.code = code;
    this.stderr = stderr;
  }
}

/** Runs `program` without a shell. Resolves to its stdout; rejects with CommandFailed. */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { cwd, env, input, signal, timeout } = options;
  return new Promise((done, fail) => {
    const wrapped = options.diesWithParent ? ["setpriv", "--pdeathsig", "TERM", program, ...args] : [program, ...args];
    const child = execFile(
      wrapped[0] ?? program,
      wrapped.slice(1),
      {
        maxBuffer: 64 << 20,
        env: { ...process.env, ...env },
        ...(cwd !== undefined && { cwd }),
        ...(signal && { signal }),
        ...(timeout !== undefined && { timeout, killSignal: "SIGKILL" as const }),
      },
      (error, stdout, stderr) => {
        if (error) fail(new CommandFailed(program, args, error.code ?? undefined, stderr || stdout));
        else done(stdout);
      },
    );
    child.stdin?.on("error", () => {}); // a program that ends without reading says why on stderr
    child.stdin?.end(input ?? "");
  });
}

/** Whether `program` is on PATH or an existing path, without running it. */
export async function onPath(program: string): Promise<boolean> {
  return await command("sh", ["-c", 'command -v "$1"', "sh", program]).then(
    () => true,
    () => false,
  );
}
