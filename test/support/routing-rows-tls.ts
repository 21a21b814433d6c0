// The rows of Gateways that end TLS with certificates of their users', ask clients for theirs, or show one to backends.
import { certificate, type Fields, gatewayRow, type GatewayRowParts, grant, hostOf } from "./routing-parts.ts";
import type { Manifest, Places, Row } from "./routing-rows.ts";

export function tlsRows({ shop, other }: Places): Row[] {
  const one = (name: string, makes: Row["makes"], given: GatewayRowParts = {}): Row =>
    gatewayRow(shop, name, makes, given);
  const named = (name: string, options?: Fields): Fields => ({
    tls: { mode: "Terminate", certificateRefs: [{ name }], ...(options && { options }) },
  });
  const authority: Manifest = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "authority", namespace: shop },
    data: { "ca.crt": "the authority" },
  };
  const lost = { group: "", kind: "ConfigMap" };
  const caCertificateRefs = [{ group: "", kind: "ConfigMap", name: "authority" }];
  const frontend = { default: { validation: { caCertificateRefs } } };
  return [
    one("tls", ["Gateway-TLS-Termination", "certificate of tls"], {
      listener: named("tls"),
      more: [certificate(shop, "tls")],
    }),
    {
      ...one("tls-tenant", ['"kind":"CloudEndpoint"', "server_private_key", `-tls-tenant-${other}-80.internal"`], {
        listener: { ...named("tls-tenant"), allowedRoutes: { namespaces: { from: "All" } } },
        more: [certificate(shop, "tls-tenant")],
        route: { namespace: other },
        service: other,
      }),
      lacks: ["request_matched_local_svc"],
    },
    one("tls-options", ['"min_version":"1.3"'], {
      listener: named("tls-options", { "ngrok.com/terminate-tls.min_version": "1.3" }),
      more: [certificate(shop, "tls-options")],
    }),
    one("tls-options-legacy", ['"min_version":"1.2"'], {
      listener: named("tls-options-legacy", { "k8s.ngrok.com/terminate-tls.min_version": "1.2" }),
      more: [certificate(shop, "tls-options-legacy")],
    }),
    one("tls-reserved", "nothing", {
      listener: named("tls-reserved", { "ngrok.com/terminate-tls.server_certificate": "mine" }),
      more: [certificate(shop, "tls-reserved")],
      told: "server_certificate",
    }),
    one("tls-lost", "nothing", { listener: named("tls-lost"), told: `Secret ${shop}/tls-lost does not exist` }),
    one("tls-elsewhere", "nothing", {
      listener: { tls: { certificateRefs: [{ name: "tls-elsewhere", namespace: other }] } },
      more: [certificate(other, "tls-elsewhere")],
      told: `Secret ${other}/tls-elsewhere may not be used from here`,
    }),
    one("tls-granted", ["certificate of tls-granted"], {
      listener: { tls: { certificateRefs: [{ name: "tls-granted", namespace: other }] } },
      more: [
        certificate(other, "tls-granted"),
        grant(other, "certificates", ["Gateway", shop], { kind: "Secret", name: "tls-granted" }),
      ],
    }),
    one("tls-ends", ['"url":"tls://tls-ends.rows.example.com:8443"', "Gateway-TLS-Termination"], {
      listener: { port: 8443, protocol: "TLS", ...named("tls-ends") },
      more: [certificate(shop, "tls-ends")],
      route: { kind: "TLSRoute", spec: { hostnames: [hostOf("tls-ends")] } },
    }),
    one("no-clients", "nothing", {
      listener: named("no-clients"),
      spec: { tls: { frontend: { default: { validation: { caCertificateRefs: [{ ...lost, name: "lost" }] } } } } },
      more: [certificate(shop, "no-clients")],
      told: "NoValidCACertificate",
    }),
    one("clients", ["mutual_tls_certificate_authorities", "the authority"], {
      listener: named("clients"),
      spec: { tls: { frontend } },
      more: [certificate(shop, "clients"), authority],
    }),
    ...certificates({ shop, other }),
    ...options({ shop, other }),
    ...clients({ shop, other }),
  ];
}

/** Certificates that are not to be had, or not as they are written. */
function certificates({ shop, other }: Places): Row[] {
  const named = (...certificateRefs: Fields[]): Pick<GatewayRowParts, "listener"> => ({
    listener: { tls: { mode: "Terminate", certificateRefs } },
  });
  return [
    gatewayRow(shop, "tls-kind", "nothing", {
      ...named({ kind: "ConfigMap", name: "tls-kind" }),
      told: "is no kind of certificate that can be used",
    }),
    gatewayRow(shop, "tls-opaque", "nothing", {
      ...named({ name: "tls-opaque" }),
      more: [certificate(shop, "tls-opaque", { type: "Opaque" })],
      told: `Secret ${shop}/tls-opaque does not exist, or is not of type kubernetes.io/tls`,
    }),
    gatewayRow(shop, "tls-empty", "nothing", {
      ...named({ name: "tls-empty" }),
      more: [certificate(shop, "tls-empty", { data: { "tls.crt": btoa("certificate"), "tls.key": "" } })],
      told: `Secret ${shop}/tls-empty does not hold both tls.key and tls.crt`,
    }),
    {
      ...gatewayRow(shop, "tls-second", ["certificate of tls-second"], {
        ...named({ name: "tls-second" }, { name: "second" }),
        more: [certificate(shop, "tls-second"), certificate(shop, "second")],
        told: "only the first certificate of a listener is used",
      }),
      lacks: ["certificate of second"],
    },
    gatewayRow(shop, "tls-ends-elsewhere", "nothing", {
      listener: {
        port: 8443,
        protocol: "TLS",
        tls: { mode: "Terminate", certificateRefs: [{ name: "tls-ends-elsewhere", namespace: other }] },
      },
      more: [certificate(other, "tls-ends-elsewhere")],
      route: { kind: "TLSRoute", spec: { hostnames: [hostOf("tls-ends-elsewhere")] } },
      told: `Secret ${other}/tls-ends-elsewhere may not be used from here`,
    }),
    gatewayRow(shop, "tls-ends-tcp", ["Gateway-TLS-Termination", '"url":"tcp://tls-ends-tcp.'], {
      listener: { port: 8443, protocol: "TLS", ...named({ name: "tls-ends-tcp" }).listener },
      more: [certificate(shop, "tls-ends-tcp")],
      route: { kind: "TCPRoute" },
    }),
  ];
}

/** ngrok's own options of a listener. */
function options({ shop }: Places): Row[] {
  const said = (name: string, given: Fields): GatewayRowParts => ({
    listener: { tls: { mode: "Terminate", certificateRefs: [{ name }], options: given } },
    more: [certificate(shop, name)],
  });
  const reserved = (name: string, key: string, prefix = "ngrok.com"): Row =>
    gatewayRow(shop, name, "nothing", {
      ...said(name, { [`${prefix}/terminate-tls.${key}`]: "mine" }),
      told: `spec.listeners[0].tls.options["${prefix}/terminate-tls.${key}"]`,
    });
  const version = (prefix: string, value: string): Fields => ({ [`${prefix}/terminate-tls.min_version`]: value });
  return [
    {
      ...gatewayRow(shop, "tls-options-both", ['"min_version":"1.3"'], {
        ...said("tls-options-both", { ...version("k8s.ngrok.com", "1.2"), ...version("ngrok.com", "1.3") }),
      }),
      lacks: ['"min_version":"1.2"'],
    },
    {
      ...gatewayRow(shop, "tls-options-alone", ["Gateway-TLS-Termination", '"min_version":"1.3"'], {
        listener: { tls: { mode: "Terminate", options: version("ngrok.com", "1.3") } },
      }),
      lacks: ["server_certificate"],
    },
    reserved("tls-reserved-key", "server_private_key"),
    reserved("tls-reserved-clients", "mutual_tls_certificate_authorities"),
    reserved("tls-reserved-legacy", "server_certificate", "k8s.ngrok.com"),
  ];
}

/** Authorities of client certificates. */
function clients({ shop, other }: Places): Row[] {
  const asking = (name: string, ref: Fields): GatewayRowParts => ({
    listener: { tls: { mode: "Terminate", certificateRefs: [{ name }] } },
    spec: { tls: { frontend: { default: { validation: { caCertificateRefs: [{ group: "", ...ref }] } } } } },
    more: [certificate(shop, name)],
  });
  const authority = (name: string): Manifest => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: other },
    data: { "ca.crt": `the authority ${name}` },
  });
  const there = (name: string): Fields => ({ kind: "ConfigMap", name, namespace: other });
  const elsewhere = asking("clients-elsewhere", there("clients-elsewhere"));
  const granted = asking("clients-granted", there("clients-granted"));
  const { spec, more = [] } = asking("clients-unasked", { kind: "ConfigMap", name: "authority" });
  return [
    gatewayRow(shop, "clients-elsewhere", "nothing", {
      ...elsewhere,
      more: [...(elsewhere.more ?? []), authority("clients-elsewhere")],
      told: `ConfigMap ${other}/clients-elsewhere may not be used from here`,
    }),
    gatewayRow(shop, "clients-granted", ["the authority clients-granted"], {
      ...granted,
      more: [
        ...(granted.more ?? []),
        authority("clients-granted"),
        grant(other, "authorities", ["Gateway", shop], { kind: "ConfigMap", name: "clients-granted" }),
      ],
    }),
    gatewayRow(shop, "clients-kind", "nothing", {
      ...asking("clients-kind", { kind: "Secret", name: "clients-kind" }),
      told: "InvalidCACertificateKind",
    }),
    {
      ...gatewayRow(shop, "clients-unasked", ["http://clients-unasked."], {
        ...(spec && { spec }),
        more,
        told: "clients of a listener without a tls block are not validated",
      }),
      lacks: ["mutual_tls_certificate_authorities"],
    },
  ];
}
