// The traffic policy of one host: what the user wrote, TLS, then one rule after the other that finds the request's
// destination, and an answer for what found none. Rule names and their order are a promise, as the names of objects are.
import { CAPTURE, CAPTURED, LIVE, matchExpressions, type RequestParts } from "./expressions.ts";
import {
  type Destination,
  type Route,
  serviceKey,
  type ServiceTarget,
  type TlsTermination,
  type VirtualHost,
} from "./model.ts";
import { type Action, EMPTY_POLICY, joinPolicies, type Phase, type Policy, policyWith, type Rule } from "./policy.ts";

/** The host with its routes sorted, and what is known of the endpoints that it leads to. */
export interface Assembly {
  readonly host: VirtualHost;
  /** Key of the Service whose endpoint this policy will stand in, if it is to stand in one. */
  readonly local: string | undefined;
  readonly urlOf: (service: ServiceTarget) => string;
}

export function hostPolicy(assembly: Assembly): Policy {
  const { host } = assembly;
  const { protocol } = host.listener;
  const routing = protocol === "HTTP" || protocol === "HTTPS" ? httpRouting(assembly) : connectionRouting(assembly);
  const tls = host.tlsTermination === undefined ? [] : [policyWith("on_tcp_connect", [terminate(host.tlsTermination)])];
  return joinPolicies([...tls, host.trafficPolicy ?? EMPTY_POLICY, routing]);
}

function terminate({ extendedOptions, serverPrivateKey, serverCertificate, mutualTLSCAs }: TlsTermination): Rule {
  const config = {
    ...extendedOptions,
    ...(mutualTLSCAs.length > 0 && { mutual_tls_certificate_authorities: mutualTLSCAs }),
    ...(serverCertificate !== undefined && { server_certificate: serverCertificate }),
    ...(serverPrivateKey !== undefined && { server_private_key: serverPrivateKey }),
  };
  return { name: "Gateway-TLS-Termination", actions: [{ type: "terminate-tls", config }] };
}

/** What is said about responses on each route and, without a route, for the default backend: as it stands in the policy. */
export function responseRules(assembly: Assembly): { readonly route?: Route; readonly rules: readonly Rule[] }[] {
  const { host } = assembly;
  const rulesIn = (policies: readonly Policy[]): readonly Rule[] => joinPolicies(policies).on_http_response;
  return [
    ...host.routes.map((route) => ({ route, rules: rulesIn(httpRoute(assembly, route, partsOf(host))) })),
    { rules: rulesIn(defaultRoute(assembly)) },
  ];
}

const NOT_LOCAL = "vars.request_matched_local_svc == false";

function httpRouting(assembly: Assembly): Policy {
  const { host, local } = assembly;
  const otherwise = local === undefined ? [] : [NOT_LOCAL];
  const parts = partsOf(host);
  return joinPolicies([
    requestRules([
      ...(local === undefined
        ? []
        : [setVars("Initialize-Local-Service-Match", [], [{ request_matched_local_svc: false }])]),
      ...(parts === CAPTURED ? [setVars("Capture-Original-Request-Data", [], CAPTURE)] : []),
    ]),
    ...host.routes.flatMap((route) => httpRoute(assembly, route, parts)),
    ...defaultRoute(assembly),
    requestRules([rule("Fallback-404", otherwise, [answer(404, "No route was found for this ngrok Endpoint")])]),
  ]);
}

function partsOf({ routes }: VirtualHost): RequestParts {
  return routes.some(changesItsMatch) ? CAPTURED : LIVE;
}

function defaultRoute(assembly: Assembly): Policy[] {
  const { host, local } = assembly;
  if (host.defaultDestination === undefined) return [];
  return destinationPolicies(assembly, host.defaultDestination, {
    phase: "on_http_request",
    name: "Generated-Route-Default-Backend",
    localName: "Generated-Route-Default-Backend",
    expressions: local === undefined ? [] : [NOT_LOCAL],
  });
}

function httpRoute(assembly: Assembly, route: Route, parts: RequestParts): Policy[] {
  const expressions = [
    ...matchExpressions(route.httpMatch, parts),
    ...(assembly.local === undefined ? [] : [NOT_LOCAL]),
  ];
  return [
    ...route.trafficPolicies.map((policy) => onlyWhen(policy, expressions)),
    ...spread(assembly, route.destinations, "on_http_request", expressions),
  ];
}

/** Connections know no paths, so that all destinations of the host share them by weight. */
function connectionRouting(assembly: Assembly): Policy {
  const { host, local } = assembly;
  const destinations = host.routes.flatMap((route) => route.destinations);
  const phase = "on_tcp_connect";
  // The endpoint that this stands in sends everything to the one destination by itself, unless that is to get nothing.
  if (local !== undefined && destinations.length === 1 && !isWeightless(destinations)) return EMPTY_POLICY;
  const first =
    local === undefined ? [] : [setVars("Initialize-Local-Service-Match", [], [{ request_matched_local_svc: false }])];
  return joinPolicies([
    policyWith(phase, first),
    ...spread(assembly, destinations, phase, local === undefined ? [] : [NOT_LOCAL]),
  ]);
}

/** Rules that lead to the destinations, by weight where there are several. */
function spread(
  assembly: Assembly,
  destinations: readonly Destination[],
  phase: "on_http_request" | "on_tcp_connect",
  expressions: readonly string[],
): Policy[] {
  const to = (destination: Destination, weighed: readonly string[]): Policy[] =>
    destinationPolicies(assembly, destination, {
      phase,
      name: "Generated-Route",
      localName: "Generated-Local-Service-Route",
      expressions: [...expressions, ...weighed],
    });
  if (isWeightless(destinations)) return [policyWith(phase, [refusal(NO_DESTINATION, phase, expressions)])];
  if (destinations.length < 2) return destinations.flatMap((one) => to(one, []));
  const total = destinations.reduce((sum, one) => sum + weightOf(one), 0);
  const draw = setVars("Gen-Random-Number", expressions, [
    { weighted_route_random_num: `\${rand.int(0,${total - 1})}` },
  ]);
  let next = 0;
  return [
    policyWith(phase, [draw]),
    ...destinations.flatMap((one) => {
      const low = next;
      next += weightOf(one);
      return to(one, [share(low, next - 1)]);
    }),
  ];
}

/** Whether all that there are have the weight 0. */
function isWeightless(destinations: readonly Destination[]): boolean {
  return destinations.length > 0 && destinations.every((one) => weightOf(one) === 0);
}

function weightOf({ weight }: Destination): number {
  return weight ?? 1;
}

function share(low: number, high: number): string {
  const drawn = "int(vars.weighted_route_random_num)";
  return low === 0 ? `${drawn} <= ${high}` : `${drawn} >= ${low} && ${drawn} <= ${high}`;
}

interface Target {
  readonly phase: "on_http_request" | "on_tcp_connect";
  readonly name: string;
  readonly localName: string;
  readonly expressions: readonly string[];
}

/** The destination's own policies, then the rule that leads there. */
function destinationPolicies(
  { local, urlOf }: Assembly,
  { upstream, isLost, trafficPolicies }: Destination,
  { phase, name, localName, expressions }: Target,
): Policy[] {
  if (isLost === true) return [policyWith(phase, [refusal(UNRESOLVED, phase, expressions)])];
  const own = trafficPolicies.map((policy) => onlyWhen(policy, expressions));
  if (upstream === undefined) return own;
  const isLocal = local === serviceKey(upstream.service);
  const lead = isLocal
    ? setVars(localName, expressions, [{ request_matched_local_svc: true }])
    : rule(name, expressions, [{ type: "forward-internal", config: { url: urlOf(upstream.service) } }]);
  return [...own, policyWith(phase, [lead])];
}

const NO_DESTINATION = {
  name: "Generated-Route-No-Destination",
  why: "This route sends its traffic nowhere: all its weights are 0",
};

const UNRESOLVED = {
  name: "GatewayAPI-Unresolved-Backend",
  why: "A backend of this route could not be resolved",
};

/** Nobody is to get this traffic: without an answer here a route that says less would take it. */
function refusal({ name, why }: typeof NO_DESTINATION, phase: Phase, expressions: readonly string[]): Rule {
  return rule(name, expressions, [phase === "on_tcp_connect" ? { type: "deny" } : answer(500, why)]);
}

/** Its rules for requests and responses, each under the expressions as well; what it does to connections is left out. */
function onlyWhen(policy: Policy, expressions: readonly string[]): Policy {
  const under = (one: Rule): Rule => withExpressions(one, [...new Set([...(one.expressions ?? []), ...expressions])]);
  return {
    on_http_request: policy.on_http_request.map(under),
    on_http_response: policy.on_http_response.map(under),
    on_tcp_connect: [],
  };
}

function withExpressions(one: Rule, expressions: readonly string[]): Rule {
  const { expressions: _, ...rest } = one;
  return expressions.length === 0 ? rest : { ...rest, expressions };
}

/** Whether a rule before the route's own match would be asked again changes what the match looks at. */
function changesItsMatch({ httpMatch, trafficPolicies, destinations }: Route): boolean {
  const policies = [...trafficPolicies, ...destinations.flatMap((one) => one.trafficPolicies)];
  const actions = policies.flatMap((policy) => policy.on_http_request.flatMap((one) => one.actions));
  const headers = (httpMatch?.headers.length ?? 0) > 0;
  const path = httpMatch?.path !== undefined;
  return actions.some(
    ({ type }) =>
      (headers && (type === "add-headers" || type === "remove-headers")) || (path && type === "url-rewrite"),
  );
}

function requestRules(rules: readonly Rule[]): Policy {
  return policyWith("on_http_request", rules);
}

function rule(name: string, expressions: readonly string[], actions: readonly Action[]): Rule {
  return expressions.length === 0 ? { name, actions } : { name, expressions, actions };
}

function setVars(
  name: string,
  expressions: readonly string[],
  vars: readonly Readonly<Record<string, unknown>>[],
): Rule {
  return rule(name, expressions, [{ type: "set-vars", config: { vars } }]);
}

function answer(status: number, content: string): Action {
  return {
    type: "custom-response",
    config: { status_code: status, content, headers: { "content-type": "text/plain" } },
  };
}
