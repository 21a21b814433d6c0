// Which endpoints need a Domain.
import { describe, test } from "vitest";
import { type DomainNeed, domainNeed } from "./domain-need.ts";

describe("domainNeed", () => {
  const table: readonly [string, string[] | undefined, Partial<DomainNeed>][] = [
    ["https://web.example.com", undefined, { is: "domain", host: "web.example.com" }],
    ["https://WEB.example.com/path", ["public"], { is: "domain", host: "web.example.com" }],
    ["https://*.example.com", undefined, { is: "domain", host: "*.example.com" }],
    ["tls://web.example.com:9000", undefined, { is: "domain", host: "web.example.com" }],
    [
      "https://web.example.com",
      ["kubernetes"],
      { is: "none", why: "Domain ready (Kubernetes binding - no domain reservation needed)" },
    ],
    [
      "https://web.example.com",
      ["internal"],
      { is: "none", why: "Domain ready (internal binding - no domain reservation needed)" },
    ],
    [
      "tcp://1.tcp.ngrok.io:12345",
      undefined,
      { is: "none", why: "Domain ready (TCP ngrok URL - no domain reservation needed)" },
    ],
    [
      "https://web.internal",
      undefined,
      { is: "none", why: "Domain ready (internal domain - no domain reservation needed)" },
    ],
    ["https://", undefined, { is: "invalid" }],
    ["", undefined, { is: "invalid" }],
  ];
  test.for(table)("%s with bindings %j", ([url, bindings, need], { expect }) =>
    expect(domainNeed(url, bindings)).toMatchObject(need),
  );
});
