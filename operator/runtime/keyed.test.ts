// A keyed controller's start: what it finds in its sources becomes keys, whatever one of the objects there is like.
import { expect, onTestFinished, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { aDomain } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { Cache } from "./cache.ts";
import { defineKeyed, source } from "./define-keyed.ts";
import { type KeyedParts, startKeyed } from "./keyed.ts";
import { openLog } from "./log.ts";
import { metrics } from "./metrics.ts";

test("an object whose keys cannot be told is left out, and the controller begins with all others and goes on", async () => {
  const stumbles: string[] = [];
  const cache = new Cache({ stumbled: (kind, { metadata }) => stumbles.push(`${kind.kind} ${metadata.name}`) });
  const domains = cache.add(Domain);
  for (const name of ["a", "bad", "z"]) domains.put(aDomain({ metadata: { name, uid: name } }));
  const worked: string[] = [];
  const keys = defineKeyed({
    name: "keys",
    manager: "api-manager",
    role: "leader",
    sources: [
      source({
        kind: Domain,
        keys({ after }) {
          if (after?.metadata.name === "bad") throw new RangeError("Maximum call stack size exceeded");
          return [after?.metadata.name ?? ""];
        },
      }),
    ],
    rbac: [],
    apply: async (key) => {
      worked.push(key);
      return await Promise.resolve({ is: "done" });
    },
  });
  const clock = testClock();
  const end = new AbortController();
  const parts = {
    watches: { cache, ready: async () => await Promise.resolve() },
    gate: { open: true, onChange: () => () => {} },
    clock,
    metrics: metrics({ processMetrics: false }),
    log: openLog({ level: "error", encoder: "json", secrets: [] }, { write: () => undefined }),
    signal: end.signal,
    ending: end.signal,
  } as unknown as KeyedParts;
  const work = startKeyed(keys, parts);
  onTestFinished(async () => await work.stop());

  await clock.advance(0);
  domains.put(aDomain({ metadata: { name: "late", uid: "late" } }));
  await clock.advance(0);

  expect(worked).toEqual(["a", "z", "late"]);
  expect(stumbles).toEqual(["Domain bad"]);
});
