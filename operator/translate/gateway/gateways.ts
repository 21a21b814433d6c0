// One Gateway of ours, read once for everybody who asks: its hosts, listeners, settings, and what is wrong with it.
import { isOurGateway, isOurGatewayClass } from "#api/classes.ts";
import { OWN_KEYS } from "#api/keys.ts";
import { isHost } from "#api/names.ts";
import { Gateway, GatewayClass, type GatewayObject } from "#kube/kinds.ts";
import { type EndpointSettings, endpointSettings } from "../annotations.ts";
import { type CertRef, type Problem, problemOf } from "../model.ts";
import { certificateSecret } from "./tls.ts";
import { blocks, type Fault, lacks } from "./faults.ts";
import { grantWanted, isPermitted } from "./grants.ts";
import { globMatches, isIpAddress } from "./hostnames.ts";
import { type ListenerFacts, listenersOf, serves } from "./listeners.ts";
import { namespaceOf, quoted, type View } from "./view.ts";

export interface GatewayFacts {
  readonly gateway: GatewayObject;
  readonly namespace: string;
  /** The addresses that ngrok can serve: host names. */
  readonly addresses: readonly string[];
  readonly listeners: readonly ListenerFacts[];
  /** undefined when the Gateway asks for a policy or a binding that is not to be had. */
  readonly settings: EndpointSettings | undefined;
  /** What the agents show to backends. */
  readonly clientCerts: readonly CertRef[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Of the Gateway as a whole; those of a listener are with it. */
  readonly faults: readonly Fault[];
  /** What its annotations say that is left out of what is served. */
  readonly asides: readonly string[];
  readonly problems: readonly Problem[];
}

/** Gateways of our classes that are not on their way out, sorted by `namespace/name`. */
export function ourGateways({ manifests, options }: View): GatewayObject[] {
  const classes = manifests.list(GatewayClass);
  return manifests
    .list(Gateway)
    .filter((gateway) => isOurGateway(gateway, classes, options.gatewayControllerName))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Where no class at all is ours, a Gateway that names nobody else's class was probably meant for us. */
export function classlessGateways({ manifests, options }: View): Problem[] {
  const classes = manifests.list(GatewayClass);
  if (classes.some((one) => isOurGatewayClass(one, options.gatewayControllerName))) return [];
  return manifests
    .list(Gateway)
    .filter(({ spec }) => !classes.some(({ metadata }) => metadata.name === spec?.gatewayClassName))
    .map((gateway) => {
      const reason = `there is no GatewayClass of this operator: create one named ${gateway.spec?.gatewayClassName} with spec.controllerName ${options.gatewayControllerName}`;
      return problemOf(Gateway, gateway, "spec.gatewayClassName", reason);
    });
}

export function readGateway(view: View, gateway: GatewayObject): GatewayFacts {
  const { addresses, faults: addressFaults } = addressesOf(gateway);
  const read = endpointSettings(Gateway, gateway, { ...view, ownedBy: "kubernetes-gateway-api" });
  const client = clientCertsOf(view, gateway);
  const infrastructure = infrastructureOf(gateway);
  const listeners = listenersOf(view, gateway, addresses);
  const faults = [
    ...addressFaults,
    ...mismatchFaults(listeners, addresses),
    ...client.faults,
    ...formerClientCert(gateway),
    ...infrastructure.faults,
    ...(read.settings === undefined ? [settingsFault(read.problems)] : []),
  ];
  const told = [...faults, ...listeners.flatMap((one) => one.faults)].filter(({ field }) => field !== "");
  return {
    gateway,
    namespace: namespaceOf(gateway),
    addresses,
    listeners,
    settings: read.settings,
    clientCerts: client.certs,
    labels: infrastructure.labels,
    annotations: infrastructure.annotations,
    faults,
    asides: read.problems
      .filter(({ effect }) => effect === "ignored")
      .map(({ field, reason }) => `${field}: ${reason}`),
    problems: [...read.problems, ...told.map((fault) => problemOfFault(gateway, fault))],
  };
}

/** Whether the Gateway as a whole is not served. */
export function isBlocked({ faults }: GatewayFacts): boolean {
  return faults.some((fault) => fault.blocks);
}

/** The listeners that serve; none when the Gateway as a whole does not. */
export function servingListeners(facts: GatewayFacts): readonly ListenerFacts[] {
  return isBlocked(facts) ? [] : facts.listeners.filter(serves);
}

function problemOfFault(gateway: GatewayObject, { field, message, blocks: blocking }: Fault): Problem {
  return problemOf(Gateway, gateway, field, message, blocking ? "refused" : "ignored");
}

/** Without a field: the annotations have told their problem already. */
function settingsFault(problems: readonly Problem[]): Fault {
  const refused = problems.find(({ effect }) => effect === "refused");
  return blocks("Programmed", "Invalid", "", refused === undefined ? "" : `${refused.field}: ${refused.reason}`);
}

function addressesOf(gateway: GatewayObject): { readonly addresses: readonly string[]; readonly faults: Fault[] } {
  const addresses = new Set<string>();
  const faults: Fault[] = [];
  for (const [at, { type, value = "" }] of (gateway.spec?.addresses ?? []).entries()) {
    if (type === "Hostname" && isHost(value.toLowerCase()) && !isIpAddress(value)) addresses.add(value.toLowerCase());
    else if (value === "") {
      const message = "has no value, and ngrok assigns none: write a host name, or remove it";
      faults.push(lacks("Programmed", "AddressNotAssigned", `spec.addresses[${at}]`, message));
    } else {
      const message = `${quoted(value)} is not a host name of type Hostname, which ngrok could serve: write one or remove it`;
      faults.push(lacks("Programmed", "AddressNotUsable", `spec.addresses[${at}]`, message));
    }
  }
  return { addresses: [...addresses], faults };
}

/** A listener whose host name does not cover the addresses would serve hosts that it does not name: then none serves. */
function mismatchFaults(listeners: readonly ListenerFacts[], addresses: readonly string[]): Fault[] {
  return listeners.flatMap(({ listener, field }) => {
    const pattern = listener.hostname === undefined || listener.hostname === "" ? "*" : listener.hostname;
    const outside = addresses.find((address) => !globMatches(pattern, address));
    if (outside === undefined) return [];
    const message = `${quoted(pattern)} does not cover the Gateway's address ${outside}, so no listener of the Gateway is served: widen it, or remove the address`;
    return [blocks("Programmed", "AddressNotUsable", `${field}.hostname`, message)];
  });
}

function clientCertsOf(
  view: View,
  gateway: GatewayObject,
): { readonly certs: readonly CertRef[]; readonly faults: Fault[] } {
  const ref = gateway.spec?.tls?.backend?.clientCertificateRef;
  if (ref === undefined) return { certs: [], faults: [] };
  const field = "spec.tls.backend.clientCertificateRef";
  if ((ref.group ?? "") !== "" || (ref.kind ?? "Secret") !== "Secret") {
    const message = `${quoted(ref.kind ?? "")} is no kind of certificate that can be used: name a Secret of type kubernetes.io/tls`;
    return { certs: [], faults: [blocks("ResolvedRefs", "InvalidClientCertificateRef", field, message)] };
  }
  const from = { kind: "Gateway", namespace: namespaceOf(gateway) };
  const to = { group: "", kind: "Secret", namespace: ref.namespace ?? from.namespace, name: ref.name };
  if (!isPermitted(view, from, to)) {
    const message = `Secret ${to.namespace}/${to.name} may not be used from here: ${grantWanted(from, to)}`;
    return { certs: [], faults: [blocks("ResolvedRefs", "RefNotPermitted", field, message)] };
  }
  const certs = [{ name: to.name, namespace: to.namespace }];
  const secret = certificateSecret(view, to);
  if (typeof secret !== "string") return { certs, faults: [] };
  // The endpoint is made all the same: the agents wait for the Secret.
  return { certs, faults: [lacks("ResolvedRefs", "InvalidClientCertificateRef", field, secret)] };
}

/** Backends that ask for it refuse the agents, so nothing is open that should not be. */
function formerClientCert(gateway: GatewayObject): Fault[] {
  if (gateway.spec?.backendTLS?.clientCertificateRef === undefined) return [];
  const message =
    "is of an older Gateway API and not read: write it as spec.tls.backend.clientCertificateRef, which newer releases of Gateway API have";
  return [lacks("Programmed", "Invalid", "spec.backendTLS.clientCertificateRef", message)];
}

function infrastructureOf(gateway: GatewayObject): {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly faults: Fault[];
} {
  const { labels = {}, annotations = {}, parametersRef } = gateway.spec?.infrastructure ?? {};
  const kept = (values: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(values).filter(([key]) => !OWN_KEYS.has(key)));
  const faults = Object.entries({ labels, annotations }).flatMap(([part, values]) =>
    Object.keys(values)
      .filter((key) => OWN_KEYS.has(key))
      .map((key) =>
        lacks(
          "Programmed",
          "Invalid",
          `spec.infrastructure.${part}["${key}"]`,
          "is written by the operator itself: remove it",
        ),
      ),
  );
  if (parametersRef !== undefined) {
    const message = `${quoted(parametersRef.kind)} is not read, as no kind of parameters is: remove it, and use annotations of the Gateway`;
    faults.push(lacks("Programmed", "Invalid", "spec.infrastructure.parametersRef", message));
  }
  return { labels: kept(labels), annotations: kept(annotations), faults };
}
