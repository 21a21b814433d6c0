// How a listener ends TLS: its certificate, the authorities that sign client certificates, ngrok's own options.
import { ConfigMap, Secret, type GatewayObject, type SecretObject } from "#kube/kinds.ts";
import type { GatewayListener, ObjectReference } from "#kube/routing-objects.ts";
import { LEGACY_PREFIX, PREFIX } from "../annotations.ts";
import { compareText } from "../manifests.ts";
import type { TlsTermination } from "../model.ts";
import { blocks, type Fault, lacks } from "./faults.ts";
import { grantWanted, isPermitted } from "./grants.ts";
import { namespaceOf, quoted, type View } from "./view.ts";

const OPTION = "terminate-tls.";
/** Filled from the listener's references; given as options they would say something else than the Gateway does. */
const RESERVED = ["server_private_key", "server_certificate", "mutual_tls_certificate_authorities"];

export interface Terminated {
  readonly termination?: TlsTermination;
  readonly faults: readonly Fault[];
}

/** `field`: path of the listener in its Gateway. Only for HTTPS and TLS listeners that have a tls block. */
export function terminationOf(
  view: View,
  gateway: GatewayObject,
  listener: GatewayListener,
  field: string,
): Terminated {
  const certificate = certificateOf(view, gateway, listener, `${field}.tls.certificateRefs`);
  const authorities = authoritiesOf(view, gateway, listener, field);
  const options = optionsOf(listener, `${field}.tls.options`);
  const faults = [...certificate.faults, ...authorities.faults, ...options.faults];
  if (faults.some((fault) => fault.blocks)) return { faults };
  const termination: TlsTermination = {
    extendedOptions: options.values,
    mutualTLSCAs: authorities.pems,
    ...certificate.pair,
  };
  return { termination, faults };
}

interface Certificate {
  readonly pair: { readonly serverPrivateKey?: string; readonly serverCertificate?: string };
  readonly faults: readonly Fault[];
}

function certificateOf(view: View, gateway: GatewayObject, listener: GatewayListener, field: string): Certificate {
  const [ref, ...others] = listener.tls?.certificateRefs ?? [];
  if (ref === undefined) return { pair: {}, faults: [] };
  const found = tlsSecretOf(view, gateway, ref, `${field}[0]`);
  if ("type" in found) return { pair: {}, faults: [found] };
  const unused =
    "only the first certificate of a listener is used: remove the others or give them listeners of their own";
  const faults = others.length === 0 ? [] : [lacks("ResolvedRefs", "InvalidCertificateRef", `${field}[1]`, unused)];
  return { pair: { serverPrivateKey: found.key, serverCertificate: found.certificate }, faults };
}

function tlsSecretOf(
  view: View,
  gateway: GatewayObject,
  ref: ObjectReference,
  field: string,
): { readonly key: string; readonly certificate: string } | Fault {
  const invalid = (message: string): Fault => blocks("ResolvedRefs", "InvalidCertificateRef", field, message);
  if ((ref.group ?? "") !== "" || (ref.kind ?? "Secret") !== "Secret")
    return invalid(
      `${quoted(ref.kind ?? "")} is no kind of certificate that can be used: name a Secret of type kubernetes.io/tls`,
    );
  const from = { kind: "Gateway", namespace: namespaceOf(gateway) };
  const to = { group: "", kind: "Secret", namespace: ref.namespace ?? from.namespace, name: ref.name };
  const named = `Secret ${to.namespace}/${to.name}`;
  if (!isPermitted(view, from, to))
    return blocks(
      "ResolvedRefs",
      "RefNotPermitted",
      field,
      `${named} may not be used from here: ${grantWanted(from, to)}`,
    );
  const secret = certificateSecret(view, to);
  if (typeof secret === "string") return invalid(secret);
  const key = secretText(secret, "tls.key");
  const certificate = secretText(secret, "tls.crt");
  if (key === "" || certificate === "")
    return invalid(`${named} does not hold both tls.key and tls.crt: ${remedyFor(to)}`);
  return { key, certificate };
}

/** The Secret, or why there is none. One of another type is not watched, so in a cluster nobody can tell the two apart. */
export function certificateSecret(
  view: View,
  at: { readonly namespace: string; readonly name: string },
): SecretObject | string {
  const secret = view.manifests.get(Secret, at);
  if (secret?.type === "kubernetes.io/tls") return secret;
  return `Secret ${at.namespace}/${at.name} does not exist, or is not of type kubernetes.io/tls: ${remedyFor(at)}, or name another`;
}

function remedyFor({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `make it with kubectl -n ${namespace} create secret tls ${name}`;
}

/** "" when it is not there. */
function secretText(secret: SecretObject, key: string): string {
  const plain = secret.stringData?.[key];
  return plain ?? Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");
}

/** An authority that is missing lets fewer clients in; with none left the listener would let in everybody. */
function authoritiesOf(
  view: View,
  gateway: GatewayObject,
  listener: GatewayListener,
  listenerField: string,
): { readonly pems: readonly string[]; readonly faults: readonly Fault[] } {
  const frontend = gateway.spec?.tls?.frontend;
  const unsupported = unsupportedValidation(frontend?.perPort ?? [], listener, listenerField);
  if (unsupported !== undefined) return { pems: [], faults: [unsupported] };
  const validation = frontend?.default?.validation;
  if (validation === undefined) return { pems: [], faults: [] };
  const field = "spec.tls.frontend.default.validation";
  const pems: string[] = [];
  const faults: Fault[] = [];
  for (const [at, ref] of (validation.caCertificateRefs ?? []).entries()) {
    const found = authorityOf(view, gateway, ref, `${field}.caCertificateRefs[${at}]`);
    if (typeof found === "string") pems.push(found);
    else faults.push(found);
  }
  if (pems.length === 0) {
    const message =
      "no authority can be used to validate clients, so nobody is let in: name a ConfigMap with the key ca.crt";
    faults.push(blocks("Accepted", "NoValidCACertificate", `${field}.caCertificateRefs`, message));
  }
  if (validation.mode !== undefined && validation.mode !== "AllowValidOnly") {
    const message = `${quoted(validation.mode)} is not supported, only clients with a valid certificate are let in: write AllowValidOnly`;
    faults.push(lacks("Programmed", "Invalid", `${field}.mode`, message));
  }
  return { pems, faults };
}

/** Client certificates that are asked for in another place than the one that is read. */
function unsupportedValidation(
  perPort: readonly { readonly port: number }[],
  { port, tls }: GatewayListener,
  field: string,
): Fault | undefined {
  const refused = (place: string, message: string): Fault => blocks("Accepted", "UnsupportedValue", place, message);
  const remedy = "write the validation under spec.tls.frontend.default";
  const own = perPort.findIndex((one) => one.port === port);
  if (own >= 0) return refused(`spec.tls.frontend.perPort[${own}]`, `is not supported: ${remedy}`);
  if (tls?.frontendValidation === undefined) return undefined;
  const message = `is of an older Gateway API and not supported: ${remedy}, which newer releases of Gateway API have`;
  return refused(`${field}.tls.frontendValidation`, message);
}

function authorityOf(view: View, gateway: GatewayObject, ref: ObjectReference, field: string): string | Fault {
  const lacking = (reason: string, message: string): Fault => lacks("ResolvedRefs", reason, field, message);
  if ((ref.group ?? "") !== "" || (ref.kind ?? "ConfigMap") !== "ConfigMap")
    return lacking(
      "InvalidCACertificateKind",
      `${quoted(ref.kind ?? "")} is not supported: name a ConfigMap with the key ca.crt`,
    );
  const from = { kind: "Gateway", namespace: namespaceOf(gateway) };
  const to = { group: "", kind: "ConfigMap", namespace: ref.namespace ?? from.namespace, name: ref.name };
  const named = `ConfigMap ${to.namespace}/${to.name}`;
  if (!isPermitted(view, from, to))
    return lacking("RefNotPermitted", `${named} may not be used from here: ${grantWanted(from, to)}`);
  const configMap = view.manifests.get(ConfigMap, to);
  if (configMap === undefined)
    return lacking("InvalidCACertificateRef", `${named} does not exist: create it or name another`);
  const pem = configMap.data?.["ca.crt"] ?? "";
  return pem === "" ? lacking("InvalidCACertificateRef", `${named} has no key ca.crt: add it`) : pem;
}

function optionsOf(
  listener: GatewayListener,
  field: string,
): { readonly values: Readonly<Record<string, string>>; readonly faults: readonly Fault[] } {
  const values = new Map<string, string>();
  // The canonical prefix comes last, and so wins.
  for (const prefix of [`${LEGACY_PREFIX}${OPTION}`, `${PREFIX}${OPTION}`]) {
    for (const [key, value] of Object.entries(listener.tls?.options ?? {})) {
      if (!key.startsWith(prefix)) continue;
      const option = key.slice(prefix.length);
      if (RESERVED.includes(option)) {
        const message =
          "is taken from the listener and its Gateway: remove it and use certificateRefs or spec.tls.frontend";
        return { values: {}, faults: [blocks("Accepted", "UnsupportedValue", `${field}["${key}"]`, message)] };
      }
      if (option !== "") values.set(option, value);
    }
  }
  return { values: Object.fromEntries([...values].toSorted(([a], [b]) => compareText(a, b))), faults: [] };
}
