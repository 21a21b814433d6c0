// However many objects there are, a drain holds a few pages of them, and of very many failures a few.
import { expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import type { Connection } from "#kube/connection.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import type { Page, Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import { aDomain } from "#test/support/builders.ts";
import { KnownError } from "#wire/errors.ts";
import { afterUninstall } from "#wire/fence.ts";
import { type Drive, drive } from "./drive.ts";
import { PARALLEL } from "./execute.ts";
import type { Hands } from "./hands.ts";
import { fold, newReport, type Report } from "./report.ts";

const { signal } = new AbortController();
const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
const PAGE = 200;
const PAGES = 10;

/** A server with 2,000 Domains of ours, and how many of them have left it that nobody is done with. */
class Crowd {
  freed = 0;
  mostHeld = 0;
  #given = 0;
  readonly #isStuck: boolean;

  constructor({ stuck }: { stuck: boolean }) {
    this.#isStuck = stuck;
  }

  async *#domains(): AsyncGenerator<Page<KubeObject>> {
    for (let page = 0; page < PAGES && this.freed < PAGE * PAGES; page += 1) {
      this.#given += PAGE;
      this.mostHeld = Math.max(this.mostHeld, this.#given - this.freed);
      const claim = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: "ops/ngrok" } };
      const items = Array.from({ length: PAGE }, (_, n) =>
        aDomain({ metadata: { name: `d-${page * PAGE + n}`, uid: `u-${page * PAGE + n}`, ...claim } }),
      );
      yield await Promise.resolve({ items, resourceVersion: "1" });
    }
  }

  get hands(): Hands {
    const read: Pick<Reader, "pages"> = {
      pages: <T extends KubeObject>(kind: Kind<T>) =>
        (kind.plural === Domain.plural ? this.#domains() : nothing()) as AsyncIterable<Page<T>>,
    };
    const write: Pick<Writer, "removeFinalizer"> = {
      removeFinalizer: async () => {
        await new Promise((done) => setImmediate(done));
        if (this.#isStuck) throw new KnownError("transient", "the server does not answer");
        this.freed += 1;
        return "removed";
      },
    };
    let now = 0;
    const clock = {
      now: () => now,
      date: () => new Date(0),
      sleep: async (ms: number, until?: AbortSignal) => {
        if (ms < BUDGET_MS) now += ms;
        else await new Promise((_, reject) => until?.addEventListener("abort", () => reject(new Error("over"))));
      },
    };
    return {
      read,
      write,
      clock,
      fence: afterUninstall(signal),
      ngrok: undefined,
      connection: {} as Connection,
    } as Hands;
  }
}

async function* nothing(): AsyncGenerator<Page<KubeObject>> {}

const BUDGET_MS = 200;

async function drained(crowd: Crowd): Promise<{ report: Report; ending: string }> {
  const work: Drive = {
    hands: crowd.hands,
    release,
    clusterWide: true,
    policy: () => "Retain",
    budgetMs: BUDGET_MS,
    signal,
  };
  const report = newReport();
  const events = drive(work);
  let next = await events.next();
  for (; next.done !== true; next = await events.next()) fold(report, next.value);
  return { report, ending: next.value };
}

test("of 2,000 objects at most three pages and what the workers have are in memory", async () => {
  const crowd = new Crowd({ stuck: false });
  const { report, ending } = await drained(crowd);
  expect({ ending, done: report.done }).toEqual({ ending: "clean", done: PAGE * PAGES });
  expect(crowd.mostHeld).toBeGreaterThan(PAGE); // else nothing was ahead, and nothing is tested
  expect(crowd.mostHeld).toBeLessThanOrEqual(3 * PAGE + PARALLEL);
});

test("of 2,000 objects that cannot be freed all are counted, and a hundred are kept", async () => {
  const { report, ending } = await drained(new Crowd({ stuck: true }));
  expect({ ending, failed: report.failed, kept: report.failures.length }).toEqual({
    ending: "paused",
    failed: PAGE * PAGES,
    kept: 100,
  });
});
