// One connection of a forwarder that has been answered: its bytes on their way to the endpoint and back, and what a network
// or a slow peer does to them.
import type { Duplex } from "node:stream";
import { systemClock } from "#wire/clock.ts";
import type { ConnRequest } from "./messages.ts";

export class BindingConnection {
  readonly request: ConnRequest;
  /** Serial number of the forwarder's certificate. */
  readonly certificate: string;
  /** Resolves once both ways are closed. */
  readonly closed: Promise<void>;
  readonly #endpoint: Duplex;
  readonly #reset: () => void;
  #frozen: PromiseWithResolvers<void> | undefined;
  #pauseMs = 0;

  /** @param reset the client's connection. */
  constructor(client: Duplex, endpoint: Duplex, request: ConnRequest, certificate: string, reset: () => void) {
    this.request = request;
    this.certificate = certificate;
    this.#endpoint = endpoint;
    this.#reset = reset;
    const broken = (): void => this.drop();
    for (const side of [client, endpoint]) side.on("error", broken);
    this.closed = Promise.all([this.#copy(client, endpoint), this.#copy(endpoint, client)]).then(() => undefined);
  }

  /** Resets it. */
  drop(): void {
    this.#reset();
    this.#endpoint.destroy();
    this.thaw();
  }

  /** Half-open: from now on no byte is read or passed on, and nobody is told. */
  freeze(): void {
    this.#frozen ??= Promise.withResolvers();
  }

  thaw(): void {
    this.#frozen?.resolve();
    this.#frozen = undefined;
  }

  /** Each piece, in either direction, takes so long: the windows of both ends are soon full. */
  slow(ms: number): void {
    this.#pauseMs = ms;
  }

  async #copy(from: Duplex, to: Duplex): Promise<void> {
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false })) {
        await this.#frozen?.promise;
        if (this.#pauseMs > 0) await systemClock.sleep(this.#pauseMs);
        if (!to.write(chunk)) await drained(to);
      }
      await this.#frozen?.promise;
      to.end();
    } catch {
      this.drop();
    }
  }
}

async function drained(stream: Duplex): Promise<void> {
  await new Promise<void>((resolve) => {
    const go = (): void => {
      stream.off("drain", go).off("close", go);
      resolve();
    };
    stream.on("drain", go).on("close", go);
  });
}
