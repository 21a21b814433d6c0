// The key of a binding, whoever has labelled it.
import { test } from "vitest";
import { keyAndRequest } from "#ngrok/csr.ts";
import { readableKey } from "./binding-key.ts";

test("a key is read from a Secret that an older operator labelled in its way", async ({ expect }) => {
  const { key } = await keyAndRequest();
  expect(readableKey(key.replaceAll("EC PRIVATE KEY", "OPENSSH PRIVATE KEY"))).toBe(key);
  expect(readableKey(key)).toBe(key);
});
