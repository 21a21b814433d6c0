// Every form in which people write the addresses of an endpoint.
import { test } from "vitest";
import { placeOf, placesOf, upstreamOf, upstreamUrl } from "./agent-addresses.ts";

test.for<[string, string]>([
  ["", "https "],
  ["app.example.com", "https app.example.com"],
  ["https://app.example.com:443", "https app.example.com"],
  ["https://app.example.com/", "https app.example.com"],
  ["https://*.example.com", "https *.example.com"],
  ["http://svc.ns:80", "http svc.ns"],
  ["http://svc.ns:8080", "http svc.ns:8080"],
  ["tcp://1.tcp.ngrok.io:12345", "tcp 1.tcp.ngrok.io:12345"],
  ["tls://db.example.com", "tls db.example.com"],
  ["tls://", "tls "],
  ["tcp://", "tcp "],
  ["HTTPS://App.Example.com", "https app.example.com"],
])("an endpoint at %s listens at %s", ([url, place], { expect }) => {
  const { proto, place: at } = placeOf(url);
  expect(`${proto} ${at}`.toLowerCase()).toBe(place);
});

test.for<[string, string | undefined, string]>([
  ["https://", "https://a1.ngrok.app", "a1.ngrok.app, ngrok's choice"],
  ["", "https://a1.ngrok.app", "a1.ngrok.app, ngrok's choice"],
  ["tcp://", "tcp://1.tcp.ngrok.io:12345", "1.tcp.ngrok.io:12345, ngrok's choice"],
  ["https://", undefined, "ngrok's choice"],
  ["https://", "", "ngrok's choice"],
  ["tcp://", "https://a1.ngrok.app", "ngrok's choice"],
  ["https://", "https://no address/at all", "ngrok's choice"],
  ["https://app.example.com", "https://a1.ngrok.app", "app.example.com"],
])("an endpoint at %s that was at %s is asked for at %s", ([url, had, places], { expect }) => {
  expect(
    placesOf(url, had)
      .map(({ place }) => place || "ngrok's choice")
      .join(", "),
  ).toBe(places);
});

test.for<[string, string]>([
  ["8080", "http://localhost:8080"],
  ["http://web.shop.svc:8080", "http://web.shop.svc:8080"],
  ["https://web.shop.svc", "https://web.shop.svc:443"],
  ["web.shop.svc", "http://web.shop.svc:80"],
  ["https://", "https://localhost:443"],
  ["tcp://db:5432", "tcp://db:5432"],
  ["tls://[::1]:8443", "tls://[::1]:8443"],
  ["http://10.0.0.1:80/", "http://10.0.0.1:80"],
])("an upstream %s is dialled as %s", ([url, dialled], { expect }) => {
  expect(upstreamUrl(upstreamOf(url))).toBe(dialled);
});

test.for(["ftp://web", "http://web/path", "http://user:pass@web", "tcp://db", "70000", "http://web:0", "://x", "a b"])(
  "an upstream %s is refused with its field",
  (url, { expect }) => {
    expect(() => upstreamOf(url)).toThrow("spec.upstream.url");
  },
);

test.for(["ftp://web", "https://web/path", "https://a b"])(
  "an endpoint at %s is refused with its field",
  (url, { expect }) => {
    expect(() => placeOf(url)).toThrow("spec.url");
  },
);
