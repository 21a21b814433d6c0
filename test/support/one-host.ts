// One host and the traffic policy that it becomes, in words short enough for a test to read.
import { hostPolicy } from "#operator/translate/host-policy.ts";
import {
  type Destination,
  type Route,
  serviceKey,
  type ServiceTarget,
  type VirtualHost,
} from "#operator/translate/model.ts";
import { type Policy, policyJson } from "#operator/translate/policy.ts";
import { line, type PlainRule } from "./translating.ts";

function service(name: string): ServiceTarget {
  return { uid: "", namespace: "shop", name, port: 80, scheme: "http://", clientCertRefs: [] };
}

export function to(name: string, weight?: number, trafficPolicies: readonly Policy[] = []): Destination {
  return { upstream: { service: service(name) }, trafficPolicies, ...(weight !== undefined && { weight }) };
}

export function route(path: string, destinations: readonly Destination[], over: Partial<Route> = {}): Route {
  return {
    httpMatch: { path, pathType: "prefix", headers: [], queryParams: [] },
    trafficPolicies: [],
    destinations,
    ...over,
  };
}

export function connectionRoute(...destinations: readonly Destination[]): Route {
  return { trafficPolicies: [], destinations };
}

export interface Asked extends Partial<VirtualHost> {
  readonly protocol?: "HTTP" | "HTTPS" | "TCP" | "TLS";
  /** Name of the Service that the host collapses into. */
  readonly into?: string;
}

export function policyOf({ protocol = "HTTPS", into, ...over }: Asked): Record<string, readonly PlainRule[]> {
  const host: VirtualHost = {
    namespace: "shop",
    listener: { hostname: "web.example.com", port: 443, protocol },
    routes: [],
    clientCertRefs: [],
    labelsToAdd: {},
    annotationsToAdd: {},
    owningResources: [],
    metadata: "",
    description: "",
    bindings: [],
    mappingStrategy: "endpoints",
    ...over,
  };
  const local = into === undefined ? undefined : serviceKey(service(into));
  // A plain policy is all that hosts of these tests have; its lists are read by their phase.
  return policyJson(hostPolicy({ host, local, urlOf: ({ name }) => `https://${name}.internal` })) as never;
}

export function lines(asked: Asked, phase = "on_http_request"): string[] {
  return (policyOf(asked)[phase] ?? []).map(line);
}

export const forward = (name: string) => `forward-internal {"url":"https://${name}.internal"}`;
export const NOT_FOUND =
  'custom-response {"status_code":404,"content":"No route was found for this ngrok Endpoint","headers":{"content-type":"text/plain"}}';
export const NOT_LOCAL = "vars.request_matched_local_svc == false";
export const setVar = (value: boolean) => `set-vars {"vars":[{"request_matched_local_svc":${value}}]}`;
