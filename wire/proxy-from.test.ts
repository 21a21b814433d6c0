// The rules by which the environment names a proxy.
import { expect, test } from "vitest";
import { proxyFrom } from "./proxy-from.ts";

const PROXIES = { HTTPS_PROXY: "http://secure:3128", HTTP_PROXY: "http://plain:3128" };

test.for([
  ["https://api.ngrok.com", {}, undefined],
  ["https://api.ngrok.com", PROXIES, "http://secure:3128"],
  ["http://stand-in:8088", PROXIES, "http://plain:3128"],
  ["http://stand-in:8088", { HTTPS_PROXY: "http://secure:3128" }, undefined],
  ["https://api.ngrok.com", { https_proxy: "http://lower:1" }, "http://lower:1"],
  ["https://api.ngrok.com", { HTTPS_PROXY: "", https_proxy: "http://lower:1" }, "http://lower:1"],
] as const)("%s with %o is reached by %s", ([origin, env, proxy]) => {
  expect(proxyFrom(env)(origin)).toBe(proxy);
});

test.for([
  ["https://api.ngrok.com", "*"],
  ["https://api.ngrok.com", "api.ngrok.com"],
  ["https://api.ngrok.com", "NGROK.com"],
  ["https://api.ngrok.com", ".ngrok.com"],
  ["https://api.ngrok.com", "a.b, *.ngrok.com"],
  ["https://api.ngrok.com", "api.ngrok.com:443"],
  ["http://10.1.2.3:8088", "10.0.0.0/8"],
  ["http://10.1.2.3:8088", "10.1.2.3:8088"],
  ["http://[fd00::1]:8088", "fd00::/8"],
  ["http://[fd00::1]:8088", "fd00::1"],
] as const)("%s is an exception of NO_PROXY=%s", ([origin, NO_PROXY]) => {
  expect(proxyFrom({ ...PROXIES, NO_PROXY })(origin)).toBeUndefined();
  expect(proxyFrom({ ...PROXIES, no_proxy: NO_PROXY })(origin)).toBeUndefined();
});

test.for([
  ["https://api.ngrok.com", "ngrok.co"],
  ["https://api.ngrok.com", "i.ngrok.com"],
  ["https://api.ngrok.com", "api.ngrok.com:8443"],
  ["https://api.ngrok.com", "10.0.0.0/8"],
  ["http://11.1.2.3:8088", "10.0.0.0/8,10.0.0.0/99,nothing/8,1.2.3"],
] as const)("%s is none of NO_PROXY=%s", ([origin, NO_PROXY]) => {
  expect(proxyFrom({ ...PROXIES, NO_PROXY })(origin)).toBeDefined();
});
