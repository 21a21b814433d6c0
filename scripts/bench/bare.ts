// The raw ceiling: how many objects a second the servers take from a client that only sends. Measured at each width, each
// time by a new process on objects of its own.
import { join } from "node:path";
import { command } from "#tools/command.ts";
import { apiServerOf, type BareServer } from "./api-server.ts";
import { perSecond, WIDTHS } from "./arithmetic.ts";
import type { Bystander, Latency } from "./bystander.ts";
import type { Ground } from "./ground.ts";
import type { Say } from "./say.ts";
import { asPod } from "./weight.ts";

export interface BareRequest {
  readonly server: "kubernetes" | "ngrok";
  readonly method: "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
}

export interface BareJob {
  readonly servers: Readonly<Record<BareRequest["server"], BareServer>>;
  /** Connections to each server, and chains at once. */
  readonly width: number;
  /** The requests of one object go one after the other. */
  readonly chains: readonly (readonly BareRequest[])[];
}

export interface BareResult {
  /** From before the first connection to the end of the last answer. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Answers of 300 and more. */
  readonly refused: number;
  readonly first?: string;
}

const PROGRAM = join(import.meta.dirname, "bare/main.ts");

/** Sends the chains at one width. Throws when a single request was refused: the ceiling would be one of errors. */
export async function bare(
  ground: Ground,
  ngrok: { readonly url: string; readonly key: string },
  width: number,
  chains: readonly (readonly BareRequest[])[],
): Promise<BareResult> {
  const servers = {
    kubernetes: await apiServerOf(ground.kubeconfig),
    ngrok: { origin: ngrok.url, headers: { authorization: `Bearer ${ngrok.key}`, "ngrok-version": "2" } },
  };
  const job: BareJob = { servers, width, chains };
  const [program, ...args] = ground.inside(asPod([process.execPath, PROGRAM]));
  const result = JSON.parse(
    await command(program, args, { input: JSON.stringify(job), timeout: 300_000 }),
  ) as BareResult;
  if (result.refused > 0) throw new Error(`the bare client was refused ${result.refused} times, first ${result.first}`);
  return result;
}

/** Objects of its own for one width: gone or changed when the bare client is done with them. */
export interface Portion {
  readonly chains: readonly (readonly BareRequest[])[];
  /** Takes away what is left of them. */
  readonly clear: () => Promise<void>;
}

export interface Ceiling {
  /** Objects a second, by width. */
  readonly rates: Readonly<Record<string, number>>;
  /** What the bystander waited meanwhile, by width. */
  readonly latencies: Readonly<Record<string, Latency>>;
}

/** The ceiling at each width. `portion` makes the objects for one width. */
export async function ceiling(
  ground: Ground,
  ngrok: { readonly url: string; readonly key: string },
  portion: (width: number) => Promise<Portion>,
  { say, bystander }: { readonly say: Say; readonly bystander?: Bystander },
): Promise<Ceiling> {
  const rates: Record<string, number> = {};
  const latencies: Record<string, Latency> = {};
  for (const width of WIDTHS) {
    const { chains, clear } = await say.step(
      `making objects for the bare client at ${width} connections`,
      async () => await portion(width),
    );
    const work = async (): Promise<BareResult> => await bare(ground, ngrok, width, chains);
    const seen = bystander === undefined ? undefined : await bystander.beside(work);
    if (seen !== undefined) latencies[width] = seen.latency;
    const { seconds, cpuSeconds } = seen?.result ?? (await work());
    rates[width] = perSecond(chains.length, seconds);
    const cpu = ((cpuSeconds / chains.length) * 1e6).toFixed(0);
    say.line(
      `bare client, ${width} connections: ${rates[width].toFixed(0)} objects/s (${cpu} us of its CPU an object)`,
    );
    await clear();
  }
  return { rates, latencies };
}
