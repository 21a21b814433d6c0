// How long the poller leaves ngrok alone after each look.
import { test } from "vitest";
import type { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { RemoteBoundEndpoint } from "#ngrok/operators.ts";
import { aKubernetesOperator } from "#test/support/builders.ts";
import { nothingCached } from "#test/support/cached.ts";
import { testClock } from "#test/support/clock.ts";
import type { KeyContext } from "../../runtime/define-keyed.ts";
import { bindingPollerController } from "./controller.ts";

const registered = {
  ...aKubernetesOperator({ metadata: { name: "ngrok", namespace: "ops" } }),
  status: { id: "k8sop_1", conditions: [{ type: "Registered", status: "True" }] },
} as unknown as KubernetesOperator;

/** One look at that many pages, each of which takes that long, the wait for its turn included. */
async function look(pages: number, pageMs: number) {
  const clock = testClock({ hurry: true });
  async function* boundEndpoints(): AsyncGenerator<readonly RemoteBoundEndpoint[]> {
    for (let page = 0; page < pages; page += 1) {
      await clock.sleep(pageMs);
      yield [];
    }
  }
  const context = {
    signal: new AbortController().signal,
    clock,
    cached: { ...nothingCached, get: () => registered },
    release: { name: "ngrok", namespace: "ops", fullname: "ngrok" },
    options: { features: ["bindings"], managerName: "ngrok", bindings: {} },
    ngrok: { operators: { boundEndpoints } },
    mayRemove: () => Promise.resolve(true),
  } as Partial<Record<keyof KeyContext, unknown>> as KeyContext;
  return await bindingPollerController.apply("bound-endpoints", context);
}

test.for<[string, number, number, number]>([
  ["a few endpoints are asked for every ten seconds", 1, 100, 10_000],
  ["so are a few at an ngrok that answers in a second", 1, 1_000, 10_000],
  ["2,000 at a quick ngrok ten times as seldom as their pages take", 20, 100, 20_000],
  ["5,000 whose pages wait for their turns once a minute, and no more seldom", 50, 500, 60_000],
])("%s", async ([, pages, pageMs, ms], { expect }) => {
  expect(await look(pages, pageMs)).toMatchObject({ is: "wait", ms });
});
