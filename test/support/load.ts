// A constant load of visitors at the edge, each with a connection of its own that is used again; it counts what fails.
import { Agent } from "node:http";
import type { NgrokEdge } from "./ngrok-edge/edge.ts";
import { visit } from "./ngrok-edge/visitors.ts";

export interface LoadResult {
  readonly ok: number;
  /** What went wrong, one line each. */
  readonly failures: readonly string[];
}

export interface Load extends AsyncDisposable {
  /** Resolves when as many more requests have been answered. */
  requests(more: number): Promise<void>;
  /** Lets those under way end. */
  stop(): Promise<LoadResult>;
}

/** `visitors` of them ask one request after the other. */
export function underLoad(edge: NgrokEdge, host: string, visitors: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: visitors });
  const failures: string[] = [];
  let ok = 0;
  let isOver = false;
  const waiting = new Set<() => void>();
  const one = async (): Promise<void> => {
    while (!isOver) {
      try {
        const { status, text } = await visit(edge, host, { agent });
        if (status === 200) ok += 1;
        else failures.push(`${status} ${text.slice(0, 200)}`);
      } catch (error) {
        failures.push(String(error));
      }
      for (const look of waiting) look();
    }
  };
  const running = Promise.all(Array.from({ length: visitors }, one));
  const stop = async (): Promise<LoadResult> => {
    isOver = true;
    await running;
    agent.destroy();
    return { ok, failures };
  };
  return {
    async requests(more) {
      const until = ok + failures.length + more;
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (ok + failures.length < until) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}
