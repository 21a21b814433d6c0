// What the probes answer, and that a person can read it.
import { expect, test } from "vitest";
import { healthPage } from "./health.ts";

test("all that holds is 200, one that does not is 503 with its reason", () => {
  expect(healthPage([{ name: "caches", ask: () => undefined }])).toMatchObject({ status: 200, body: "[+] caches\n" });
  const page = healthPage([
    { name: "caches", ask: () => undefined },
    { name: "ngrok API key", ask: () => "no ngrok API key: set one" },
  ]);
  expect(page).toMatchObject({ status: 503, body: "[+] caches\n[-] ngrok API key: no ngrok API key: set one\n" });
});
