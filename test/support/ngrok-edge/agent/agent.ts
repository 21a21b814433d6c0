// A process with the unmodified SDK, as a test holds it: it gives orders and hears what the SDK calls back with.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { NgrokEdge } from "../edge.ts";
import type { Answer, BuilderCall, Order, Told } from "./orders.ts";

/** How long an order may take before the test is told so: the SDK itself waits for ever. */
const patience = 20_000;

export interface BoundListener {
  readonly url: string;
  /** Its id at the edge. */
  readonly endpoint: string;
  close(): Promise<void>;
}

export interface BindOptions {
  readonly proto?: "http" | "tcp" | "tls";
  /** The upstream, e.g. `http://127.0.0.1:8080`. */
  readonly to: string;
  readonly calls?: readonly BuilderCall[];
}

export interface SdkSession {
  bind(options: BindOptions): Promise<BoundListener>;
  close(): Promise<void>;
}

export interface SdkProcess extends AsyncDisposable {
  /** Connects to the edge with `an-authtoken` and whatever `calls` add. */
  connect(edge: Pick<NgrokEdge, "serverAddr" | "ca">, calls?: readonly BuilderCall[]): Promise<SdkSession>;
  /** Everything that the SDK called back with so far. */
  readonly told: readonly Told[];
  /** Resolves once the SDK has called back with this, `count` times in all. */
  hears(what: Told["told"], count?: number): Promise<void>;
  /** Ends the process without a word. */
  kill(): Promise<void>;
}

export class SdkError extends Error {
  /** E.g. `ERR_NGROK_107`; the SDK sets it only when it connects. */
  readonly errorCode: string | undefined;

  constructor({ message, errorCode }: NonNullable<Answer["error"]>) {
    super(message);
    this.errorCode = errorCode;
  }
}

/** Starts the process. */
export function startSdk(): SdkProcess {
  const child = fork(join(import.meta.dirname, "main.ts"), {
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const told: Told[] = [];
  const ears = new Set<() => void>();
  child.on("message", (message: Answer | Told) => {
    if (!("told" in message)) return;
    told.push(message);
    for (const ear of ears) ear();
  });
  const order = orders(child);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  const bind = async (session: number, { proto = "http", to, calls = [] }: BindOptions): Promise<BoundListener> => {
    const { made: listener = -1, url = "", endpoint = "" } = await order({ do: "bind", session, proto, calls, to });
    return { url, endpoint, close: async () => void (await order({ do: "closeListener", listener })) };
  };
  return {
    async connect(edge, calls = []) {
      const { made: session = -1 } = await order({ do: "connect", calls: [...toEdge(edge), ...calls] });
      return {
        bind: async (options) => await bind(session, options),
        close: async () => void (await order({ do: "closeSession", session })),
      };
    },
    told,
    async hears(what, count = 1) {
      const heard = () => told.filter((one) => one.told === what).length >= count;
      await within(`the SDK says '${what}' ${count} times`, (resolve) => {
        const ear = () => {
          if (!heard()) return;
          ears.delete(ear);
          resolve();
        };
        ears.add(ear);
        ear();
      });
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

function toEdge({ serverAddr, ca }: Pick<NgrokEdge, "serverAddr" | "ca">): BuilderCall[] {
  return [
    ["serverAddr", serverAddr],
    ["caCert", { bytes: Buffer.from(ca).toString("base64") }],
    ["authtoken", "an-authtoken"],
  ];
}

function orders(child: ChildProcess): (order: Order) => Promise<Answer> {
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  child.on("message", (message: Answer | Told) => {
    if (!("id" in message)) return;
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  return async (order) => {
    last += 1;
    const id = last;
    const answer = await within<Answer>(`the SDK answers to '${order.do}'`, (resolve) => {
      waiting.set(id, resolve);
      child.send({ id, order });
    });
    if (answer.error !== undefined) throw new SdkError(answer.error);
    return answer;
  };
}

async function within<T = void>(what: string, start: (resolve: (value: T) => void) => void): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not within ${patience} ms: ${what}`)), patience);
    start((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
