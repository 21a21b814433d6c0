// What the probes answer, and that a person can read it.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Server } from "node:net";
import { expect, test } from "vitest";
import { healthPage, serve } from "./health.ts";

test("all that holds is 200, one that does not is 503 with its reason", () => {
  expect(healthPage([{ name: "caches", ask: () => undefined }])).toMatchObject({ status: 200, body: "[+] caches\n" });
  const page = healthPage([
    { name: "caches", ask: () => undefined },
    { name: "ngrok API key", ask: () => "no ngrok API key: set one" },
  ]);
  expect(page).toMatchObject({ status: 503, body: "[+] caches\n[-] ngrok API key: no ngrok API key: set one\n" });
});

test("connections that cannot be accepted end nothing, and the next one is answered", async () => {
  const servers: Server[] = [];
  const heard = (message: unknown): void => void servers.push((message as { server: Server }).server);
  subscribe("tracing:net.server.listen:asyncEnd", heard);
  await using served = await serve("127.0.0.1:0", { "/healthz": () => healthPage([]) });
  unsubscribe("tracing:net.server.listen:asyncEnd", heard);
  const fail = (): unknown => servers.at(-1)?.emit("error", new Error("accept EMFILE"));
  expect([fail(), fail()]).toEqual([true, true]);
  expect((await fetch(`http://127.0.0.1:${served.port}/healthz`)).status).toBe(200);
});
