// Listeners that cannot both be had are told so by what is written, whatever may be missing in the cluster today.
import { expect, test } from "vitest";
import type { GatewayListener } from "#kube/routing-objects.ts";
import { aTLSRoute } from "#test/support/builders.ts";
import { aGatewayWith, aTlsSecret, aWebRoute, hostsOn, urlsOf } from "#test/support/gateway-ground.ts";
import { brief, statusOf } from "#test/support/gateway-status-words.ts";

const rules = [{ backendRefs: [{ name: "shop", port: 80 }] }];

test.for([
  ["TLS on the same host", { protocol: "TLS", tls: { mode: "Passthrough" } }],
  ["another certificate on the same host", { tls: { certificateRefs: [{ name: "other" }] } }],
] as const)(
  "a certificate that is missing today decides nothing: %s conflicts with it before it comes",
  ([, second]) => {
    const gateway = aGatewayWith({ tls: { certificateRefs: [{ name: "cert" }] } }, second as Partial<GatewayListener>);
    const tls = aTLSRoute({ spec: { rules } });
    const world = [gateway, aWebRoute(), tls, aTlsSecret("other")];
    for (const objects of [world, [...world, aTlsSecret("cert")]]) {
      expect(urlsOf(hostsOn(objects))).toEqual([]);
      const conflicted = statusOf(objects).listeners?.map(({ conditions }) => brief(conditions)[1]);
      expect(conflicted).toEqual([
        expect.stringMatching(/^Conflicted=True/),
        expect.stringMatching(/^Conflicted=True/),
      ]);
    }
  },
);

test("one certificate by one name is no conflict, be it there or not", () => {
  const tls = { certificateRefs: [{ name: "cert" }] };
  const world = [aGatewayWith({ tls }, { tls }), aWebRoute()];
  expect(urlsOf(hostsOn(world))).toEqual([]);
  expect(urlsOf(hostsOn([...world, aTlsSecret("cert")]))).toEqual(["https://shop.example.com:443"]);
});

test("a listener that ngrok cannot serve as it is written is in nobody's way", () => {
  const found = hostsOn([
    aGatewayWith({ port: 8443 }, { protocol: "TLS", port: 8443 }),
    aTLSRoute({ spec: { rules } }),
  ]);
  expect(urlsOf(found)).toEqual(["tls://shop.example.com:8443"]);
});
