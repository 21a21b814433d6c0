// How a Gateway ends TLS: the certificates of its listeners, whom it asks for one, and the one that its backends are shown.
import { describe, expect, test } from "vitest";
import type { GatewayObject } from "#kube/kinds.ts";
import { aGateway, aTLSRoute } from "#test/support/builders.ts";
import {
  aCaConfigMap,
  aGatewayWith,
  aGrant,
  aRule,
  aTlsSecret,
  aWebRoute,
  gatewayOptions,
  ground,
  hostsOn,
  onlyHost,
  shop,
  toldIn,
  urlsOf,
} from "#test/support/gateway-ground.ts";
import { domainsOfGateways } from "./virtual-hosts.ts";

type Spec = Partial<NonNullable<GatewayObject["spec"]>>;

describe("ending TLS", () => {
  const terminating = (tls: object, spec: Spec = {}): GatewayObject => {
    const gateway = aGatewayWith({ tls });
    return { ...gateway, spec: { gatewayClassName: "ngrok", listeners: [], ...gateway.spec, ...spec } };
  };
  const ref = { certificateRefs: [{ name: "cert" }] };
  const pair = { serverPrivateKey: "key of default/cert", serverCertificate: "crt of default/cert" };

  test("a listener without a tls block leaves it to ngrok", () => {
    expect(onlyHost(hostsOn([aWebRoute()]))).not.toHaveProperty("tlsTermination");
  });

  test("the first certificate is the listener's, and the others are told", () => {
    const gateway = terminating({ certificateRefs: [{ name: "cert" }, { name: "other" }] });
    const found = hostsOn([gateway, aTlsSecret(), aWebRoute()]);
    expect(onlyHost(found).tlsTermination).toEqual({ extendedOptions: {}, mutualTLSCAs: [], ...pair });
    expect(found.problems).toMatchObject([{ field: "spec.listeners[0].tls.certificateRefs[1]", effect: "ignored" }]);
  });

  test("a Secret as people write it is read as the API server would store it", () => {
    const { data: _, ...written } = aTlsSecret();
    const secret = { ...written, stringData: { "tls.key": "key of default/cert", "tls.crt": "crt of default/cert" } };
    expect(onlyHost(hostsOn([terminating(ref), secret, aWebRoute()])).tlsTermination).toMatchObject(pair);
  });

  test("TLS listeners end it in the same way, and pass it on where they say so", () => {
    const tls = aTLSRoute({ spec: { rules: [{ backendRefs: [{ name: "shop", port: 80 }] }] } });
    const ended = hostsOn([aGatewayWith({ protocol: "TLS", tls: ref }), aTlsSecret(), tls]);
    const passed = hostsOn([aGatewayWith({ protocol: "TLS", tls: { mode: "Passthrough", ...ref } }), tls]);
    expect(onlyHost(ended).tlsTermination).toMatchObject(pair);
    expect(onlyHost(passed)).not.toHaveProperty("tlsTermination");
  });

  test("options go to ngrok under their own names, the canonical prefix before the legacy one", () => {
    const options = {
      "k8s.ngrok.com/terminate-tls.min_version": "1.0",
      "ngrok.com/terminate-tls.min_version": "1.3",
      "k8s.ngrok.com/terminate-tls.max_version": "1.3",
      "example.com/other": "x",
    };
    const { tlsTermination } = onlyHost(hostsOn([terminating({ options }), aWebRoute()]));
    expect(tlsTermination).toEqual({ extendedOptions: { min_version: "1.3", max_version: "1.3" }, mutualTLSCAs: [] });
  });

  const reserved = ["server_private_key", "server_certificate", "mutual_tls_certificate_authorities"].flatMap(
    (option) => [`ngrok.com/terminate-tls.${option}`, `k8s.ngrok.com/terminate-tls.${option}`],
  );
  test.for(reserved)("the option %s closes the listener", (key) => {
    const found = hostsOn([terminating({ options: { [key]: "x" } }), aWebRoute()]);
    expect(found.hosts).toEqual([]);
    expect(found.problems).toMatchObject([{ field: `spec.listeners[0].tls.options["${key}"]`, effect: "refused" }]);
  });

  const absent =
    /^Secret default\/cert does not exist, or is not of type kubernetes\.io\/tls: make it with kubectl -n default create secret tls cert, or name another$/;
  const closing: [string, object[], RegExp][] = [
    ["that is not there", [], absent],
    // In a cluster it is not watched, so that it looks as if it were not there.
    ["of another type", [aTlsSecret("cert", "default", { type: "Opaque" })], absent],
    [
      "without its key",
      [aTlsSecret("cert", "default", { data: { "tls.crt": btoa("x") } })],
      /does not hold both tls\.key and tls\.crt: make it with kubectl -n default create secret tls cert$/,
    ],
  ];
  test.for(closing)("a certificate %s closes the listener and keeps its Domain", ([, objects, reason]) => {
    const gateway = terminating(ref);
    const found = hostsOn([gateway, ...(objects as ReturnType<typeof aTlsSecret>[]), aWebRoute()]);
    expect(found.hosts).toEqual([]);
    expect(found.problems).toEqual([
      {
        object: "Gateway default/edge",
        field: "spec.listeners[0].tls.certificateRefs[0]",
        reason: expect.stringMatching(reason),
        effect: "refused",
      },
    ]);
    expect(domainsOfGateways(ground(gateway), gatewayOptions)).toHaveLength(1);
  });

  test("a certificate that is no Secret closes the listener", () => {
    const found = hostsOn([terminating({ certificateRefs: [{ kind: "Vault", name: "cert" }] }), aWebRoute()]);
    expect(found.hosts).toEqual([]);
    expect(found.problems[0]?.reason).toMatch(/"Vault" is no kind of certificate that can be used: name a Secret/);
  });

  test("a certificate of another namespace needs a grant there", () => {
    const gateway = terminating({ certificateRefs: [{ name: "cert", namespace: "vault" }] });
    const world = [gateway, aTlsSecret("cert", "vault"), aWebRoute()];
    const from = { kind: "Gateway", namespace: "default" };
    const grant = aGrant({ in: "vault", from, to: { kind: "Secret", name: "cert" } });
    expect(hostsOn(world).hosts).toEqual([]);
    expect(hostsOn(world).problems[0]?.reason).toMatch(
      /create a ReferenceGrant in namespace vault from Gateway in default/,
    );
    const granted = onlyHost(hostsOn([...world, grant]));
    expect(granted.tlsTermination?.serverPrivateKey).toBe("key of vault/cert");
    expect(onlyHost(hostsOn(world, { referenceGrants: false })).tlsTermination).toEqual(granted.tlsTermination);
  });

  const frontend = (...caCertificateRefs: { name: string; namespace?: string; kind?: string }[]): Spec => ({
    tls: { frontend: { default: { validation: { caCertificateRefs } } } },
  });

  test("client certificates are asked for by the authorities of the Gateway", () => {
    const gateway = terminating(ref, frontend({ name: "ca" }, { name: "second" }));
    const found = hostsOn([gateway, aTlsSecret(), aCaConfigMap(), aCaConfigMap("second"), aWebRoute()]);
    expect(onlyHost(found).tlsTermination?.mutualTLSCAs).toEqual(["ca of default/ca", "ca of default/second"]);
    expect(found.problems).toEqual([]);
  });

  test("without a tls block nobody is asked, which is told", () => {
    const gateway = aGateway({ spec: frontend({ name: "ca" }) as object });
    const found = hostsOn([gateway, aCaConfigMap(), aWebRoute()]);
    expect(onlyHost(found)).not.toHaveProperty("tlsTermination");
    expect(found.problems).toMatchObject([{ field: "spec.tls.frontend.default.validation", effect: "ignored" }]);
  });

  const refs: [string, { name: string; namespace?: string; kind?: string }, string][] = [
    ["is not there", { name: "absent" }, "ConfigMap default/absent does not exist: create it or name another"],
    ["has no ca.crt", { name: "empty" }, "ConfigMap default/empty has no key ca.crt: add it"],
    [
      "is no ConfigMap",
      { kind: "Secret", name: "ca" },
      '"Secret" is not supported: name a ConfigMap with the key ca.crt',
    ],
    [
      "is another namespace's",
      { name: "ca", namespace: "vault" },
      "ConfigMap vault/ca may not be used from here: create a ReferenceGrant in namespace vault from Gateway in default to ConfigMap ca",
    ],
  ];
  test.for(refs)(
    "an authority that %s lets fewer clients in; the last one closes the listener",
    ([, wrong, reason]) => {
      const world = [
        aTlsSecret(),
        aCaConfigMap(),
        aCaConfigMap("empty", "default", "other"),
        aCaConfigMap("ca", "vault"),
      ];
      const found = hostsOn([terminating(ref, frontend(wrong, { name: "ca" })), ...world, aWebRoute()]);
      expect(onlyHost(found).tlsTermination?.mutualTLSCAs).toEqual(["ca of default/ca"]);
      expect(found.problems).toMatchObject([{ reason, effect: "ignored" }]);
      const alone = hostsOn([terminating(ref, frontend(wrong)), ...world, aWebRoute()]);
      expect(alone.hosts).toEqual([]);
      expect(alone.problems.map((one) => one.effect)).toContain("refused");
    },
  );

  test("an authority of another namespace is there with a grant", () => {
    const gateway = terminating(ref, frontend({ name: "ca", namespace: "vault" }));
    const from = { kind: "Gateway", namespace: "default" };
    const grant = aGrant({ in: "vault", from, to: { kind: "ConfigMap" } });
    const found = hostsOn([gateway, aTlsSecret(), aCaConfigMap("ca", "vault"), grant, aWebRoute()]);
    expect(onlyHost(found).tlsTermination?.mutualTLSCAs).toEqual(["ca of vault/ca"]);
  });

  test("a validation for one port is not had, and closes that port rather than leave it open", () => {
    const perPort = [{ port: 443, tls: { validation: { caCertificateRefs: [{ name: "ca" }] } } }];
    const found = hostsOn([
      terminating(ref, { tls: { frontend: { perPort } } }),
      aTlsSecret(),
      aCaConfigMap(),
      aWebRoute(),
    ]);
    expect(found.hosts).toEqual([]);
    expect(found.problems).toMatchObject([{ field: "spec.tls.frontend.perPort[0]", effect: "refused" }]);
  });

  test("a validation where older releases of Gateway API had it closes its listener alone, and the new place is named", () => {
    const frontendValidation = { caCertificateRefs: [{ group: "", kind: "ConfigMap", name: "ca" }] };
    const gateway = aGatewayWith(
      { hostname: "guarded.example.com", tls: { ...ref, frontendValidation } },
      { hostname: "open.example.com", tls: ref },
    );
    const found = hostsOn([gateway, aTlsSecret(), aCaConfigMap(), aWebRoute()]);
    expect(urlsOf(found)).toEqual(["https://open.example.com:443"]);
    expect(toldIn(found.problems)).toEqual([
      "Gateway default/edge spec.listeners[0].tls.frontendValidation: is of an older Gateway API and not supported: write the validation under spec.tls.frontend.default, which newer releases of Gateway API have [refused]",
    ]);
  });
});

describe("the certificate that backends are shown", () => {
  const showing = (name: string, namespace?: string): GatewayObject =>
    aGateway({ spec: { tls: { backend: { clientCertificateRef: { name, ...(namespace && { namespace }) } } } } });
  const https = shop("default", { metadata: { annotations: { "ngrok.com/app-protocols": '{"https":"HTTPS"}' } } });
  const both = aWebRoute({
    rules: [
      aRule({
        backendRefs: [
          { name: "shop", port: 80 },
          { name: "shop", port: 443 },
        ],
      }),
    ],
  });

  test("goes with what is reached by https alone", () => {
    const found = hostsOn([showing("client"), aTlsSecret("client"), https, both]);
    const host = onlyHost(found);
    const cert = { name: "client", namespace: "default" };
    expect(host.clientCertRefs).toEqual([cert]);
    expect(host.routes[0]?.destinations.map((one) => one.upstream?.service.clientCertRefs)).toEqual([[], [cert]]);
    expect(found.problems).toEqual([]);
  });

  test("is told of where older releases of Gateway API had it, and the Gateway is served without it", () => {
    const gateway = aGateway({ spec: { backendTLS: { clientCertificateRef: { name: "client" } } } });
    const found = hostsOn([gateway, aTlsSecret("client"), https, both]);
    expect(onlyHost(found).clientCertRefs).toEqual([]);
    expect(toldIn(found.problems)).toEqual([
      "Gateway default/edge spec.backendTLS.clientCertificateRef: is of an older Gateway API and not read: write it as spec.tls.backend.clientCertificateRef, which newer releases of Gateway API have [ignored]",
    ]);
  });

  test("of another namespace needs a grant there, without which the Gateway is not served", () => {
    const world = [showing("client", "vault"), aTlsSecret("client", "vault"), https, both];
    const refused = hostsOn(world);
    expect(refused.hosts).toEqual([]);
    expect(refused.problems).toMatchObject([
      { object: "Gateway default/edge", field: "spec.tls.backend.clientCertificateRef", effect: "refused" },
    ]);
    const from = { kind: "Gateway", namespace: "default" };
    const grant = aGrant({ in: "vault", from, to: { kind: "Secret", name: "client" } });
    expect(onlyHost(hostsOn([...world, grant])).clientCertRefs).toEqual([{ name: "client", namespace: "vault" }]);
  });

  test("is not that of a third namespace that was not asked", () => {
    const theirs = shop("team", { metadata: { annotations: { "ngrok.com/app-protocols": '{"https":"HTTPS"}' } } });
    const route = aWebRoute({ rules: [aRule({ backendRefs: [{ name: "shop", namespace: "team", port: 443 }] })] });
    const service = aGrant({ in: "team", from: { kind: "HTTPRoute", namespace: "default" }, to: { kind: "Service" } });
    const world = [showing("client"), aTlsSecret("client"), aTlsSecret("client", "team"), theirs, route, service];
    const refused = hostsOn(world);
    expect(onlyHost(refused).routes[0]?.destinations).toEqual([{ isLost: true, trafficPolicies: [] }]);
    expect(refused.problems).toMatchObject([{ field: "spec.rules[0].backendRefs[0]", effect: "refused" }]);
    const secret = {
      ...aGrant({
        in: "team",
        from: { kind: "Gateway", namespace: "default" },
        to: { kind: "Secret", name: "client" },
      }),
      metadata: { name: "secret", namespace: "team" },
    };
    expect(onlyHost(hostsOn([...world, secret])).routes[0]?.destinations).toHaveLength(1);
  });

  test("that is not there is told, and the agents wait for it", () => {
    const found = hostsOn([showing("client"), https, both]);
    expect(found.hosts).toHaveLength(1);
    expect(found.problems).toMatchObject([{ field: "spec.tls.backend.clientCertificateRef", effect: "ignored" }]);
  });

  test("that is no Secret closes the Gateway", () => {
    const gateway = aGateway({ spec: { tls: { backend: { clientCertificateRef: { kind: "Vault", name: "x" } } } } });
    expect(hostsOn([gateway, both]).hosts).toEqual([]);
  });
});
