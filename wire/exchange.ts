// One request and its answer on a socket: the deadline, the caller's signal and the fence meet here, and the fence is
// asked at the instant at which the request's bytes are written.
import type { Dispatcher } from "undici";
import { asError } from "./errors.ts";
import type { Fence, SentOutcome } from "./fence.ts";
import { noAnswer, unreachable } from "./unreachable.ts";

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Who takes the answer as it comes. `failed` and `end` exclude each other and are called once. */
export interface Receiver {
  head(status: number, headers: Headers): void;
  data(chunk: Buffer): void;
  end(): void;
  failed(error: Error): void;
}

export interface ExchangeOptions {
  readonly server: string;
  readonly signal: AbortSignal;
  readonly fence: Fence | undefined;
  /** Milliseconds; a stream lifts it when its head has come. */
  readonly deadlineMs: number;
}

export class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  readonly #receiver: Receiver;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort: () => void;
  readonly #onFence: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #answered: ((outcome: SentOutcome) => void) | undefined;
  #over = false;

  constructor(options: ExchangeOptions, receiver: Receiver) {
    this.#options = options;
    this.#receiver = receiver;
    this.#onAbort = () => this.fail(asError(options.signal.reason));
    this.#onFence = () => this.fail(asError(options.fence?.signal.reason));
    this.#timer = setTimeout(() => this.fail(noAnswer(options.server, options.deadlineMs)), options.deadlineMs);
    options.signal.addEventListener("abort", this.#onAbort, { once: true });
    options.fence?.signal.addEventListener("abort", this.#onFence, { once: true });
  }

  /** Ends the exchange at once; what is still queued is never sent, what was sent loses its socket. */
  fail(error: Error): void {
    if (this.#over) return;
    this.#finish("unknown");
    this.#controller?.abort(error);
    this.#receiver.failed(error);
  }

  liftDeadline(): void {
    clearTimeout(this.#timer);
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  /** undici calls this when a socket is free, right before it writes: the last moment at which a write can be refused. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#over) throw new Error("given up before it was sent");
    const { fence, deadlineMs } = this.#options;
    fence?.assertMayWrite();
    this.#controller = controller;
    if (fence?.sent !== undefined) {
      fence.sent(new Promise<SentOutcome>((resolve) => (this.#answered = resolve)), deadlineMs);
    }
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status >= 200 && !this.#over) this.#receiver.head(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#receiver.data(chunk);
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#finish("answered");
    this.#receiver.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    this.#finish("unknown");
    this.#receiver.failed(unreachable(error, this.#options.server));
  }

  #finish(outcome: SentOutcome): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    this.#options.fence?.signal.removeEventListener("abort", this.#onFence);
    this.#answered?.(outcome);
  }
}
