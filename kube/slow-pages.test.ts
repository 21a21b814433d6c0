// How long a page of a list is waited for, against a stand-in over real HTTP: one that hangs is asked for again in time, and
// a large cluster gets the time that its page needs.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { connect } from "./connection.ts";

const { signal } = new AbortController();

// Loading client-node from source takes seconds on a busy machine; no test's time is spent on it.
beforeAll(async () => void (await import("@kubernetes/client-node/dist/config.js")), 60_000);

/** A list under a call of so many milliseconds; the server answers each try after the next of `answers`, or never. */
async function listed(timeoutMs: number, ...answers: readonly number[]) {
  let tries = 0;
  const server = createServer((_request, response) => {
    const ms = answers[tries];
    tries += 1;
    if (ms !== undefined && ms !== Infinity) setTimeout(() => response.end('{"kind":"PodList"}'), ms);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const cluster = { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  const context = { cluster: "c", user: "u" };
  const kubeconfig = {
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "x", context }],
    "current-context": "x",
  };
  const connection = await connect({ kubeconfig });
  onTestFinished(async () => await connection[Symbol.asyncDispose]());
  const began = performance.now();
  const page = { method: "GET", path: "/api/v1/pods", query: { limit: 200 }, signal, timeoutMs } as const;
  const outcome = await connection.request(page).catch((error: unknown) => error);
  return { outcome, tries, ms: performance.now() - began };
}

test("a page that hangs is asked for again while there is time: it must not cost a hook half of its own", async () => {
  expect(await listed(6_000, Infinity, 0)).toMatchObject({ outcome: { kind: "PodList" }, tries: 2 });
});

test("a page that honestly takes long has all the time that is left for its second try", async () => {
  expect(await listed(9_000, 3_300, 3_300)).toMatchObject({ outcome: { kind: "PodList" }, tries: 2 });
});

test("pages that never come take no longer than the one call may", async () => {
  const { outcome, ms } = await listed(600);
  expect(outcome).toMatchObject({ class: "transient", code: "Timeout" });
  expect(ms).toBeLessThan(3_000);
});
