// The rows of Gateways that end TLS with certificates of their users', ask clients for theirs, or show one to backends.
import { type Fields, gatewayRow, type GatewayRowParts, hostOf } from "./routing-parts.ts";
import type { Manifest, Places, Row } from "./routing-rows.ts";

export function tlsRows({ shop, other }: Places): Row[] {
  const one = (name: string, makes: Row["makes"], given: GatewayRowParts = {}): Row =>
    gatewayRow(shop, name, makes, given);
  const named = (name: string, options?: Fields): Fields => ({
    tls: { mode: "Terminate", certificateRefs: [{ name }], ...(options && { options }) },
  });
  const secret = (namespace: string, name: string): Manifest => ({
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata: { name, namespace },
    data: { "tls.crt": btoa(`certificate of ${name}`), "tls.key": btoa(`key of ${name}`) },
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
      more: [secret(shop, "tls")],
    }),
    one("tls-options", ['"min_version":"1.3"'], {
      listener: named("tls-options", { "ngrok.com/terminate-tls.min_version": "1.3" }),
      more: [secret(shop, "tls-options")],
    }),
    one("tls-options-legacy", ['"min_version":"1.2"'], {
      listener: named("tls-options-legacy", { "k8s.ngrok.com/terminate-tls.min_version": "1.2" }),
      more: [secret(shop, "tls-options-legacy")],
    }),
    one("tls-reserved", "nothing", {
      listener: named("tls-reserved", { "ngrok.com/terminate-tls.server_certificate": "mine" }),
      more: [secret(shop, "tls-reserved")],
      told: "server_certificate",
    }),
    one("tls-lost", "nothing", { listener: named("tls-lost"), told: `Secret ${shop}/tls-lost does not exist` }),
    one("tls-elsewhere", "nothing", {
      listener: { tls: { certificateRefs: [{ name: "tls-elsewhere", namespace: other }] } },
      more: [secret(other, "tls-elsewhere")],
      told: "RefNotPermitted",
    }),
    one("tls-granted", ["certificate of tls-granted"], {
      listener: { tls: { certificateRefs: [{ name: "tls-granted", namespace: other }] } },
      more: [
        secret(other, "tls-granted"),
        {
          apiVersion: "gateway.networking.k8s.io/v1beta1",
          kind: "ReferenceGrant",
          metadata: { name: "certificates", namespace: other },
          spec: {
            from: [{ group: "gateway.networking.k8s.io", kind: "Gateway", namespace: shop }],
            to: [{ group: "", kind: "Secret", name: "tls-granted" }],
          },
        },
      ],
    }),
    one("tls-ends", ['"url":"tls://tls-ends.rows.example.com:8443"', "Gateway-TLS-Termination"], {
      listener: { port: 8443, protocol: "TLS", ...named("tls-ends") },
      more: [secret(shop, "tls-ends")],
      route: { kind: "TLSRoute", spec: { hostnames: [hostOf("tls-ends")] } },
    }),
    one("no-clients", "nothing", {
      listener: named("no-clients"),
      spec: { tls: { frontend: { default: { validation: { caCertificateRefs: [{ ...lost, name: "lost" }] } } } } },
      more: [secret(shop, "no-clients")],
      told: "NoValidCACertificate",
    }),
    one("clients", ["mutual_tls_certificate_authorities", "the authority"], {
      listener: named("clients"),
      spec: { tls: { frontend } },
      more: [secret(shop, "clients"), authority],
    }),
    one("to-backends", ['"clientCertificateRefs"', '"name":"to-backends"'], {
      spec: { tls: { backend: { clientCertificateRef: { name: "to-backends" } } } },
      annotations: { "ngrok.com/app-protocols": '{"web":"https"}' },
      more: [secret(shop, "to-backends")],
    }),
  ];
}
