// Rules for responses that never act: routing puts them under variables that are set for the request, and ngrok keeps those of
// one phase from the other (its documentation of set-vars, Scoping). They are written all the same, as they have always been.
import { type Assembly, responseRules } from "./host-policy.ts";
import type { Problem } from "./model.ts";
import type { Rule } from "./policy.ts";

const LOCAL = "vars.request_matched_local_svc";
const OF_REQUESTS = /\bvars\.(?:request_matched_local_svc|original_\w+|weighted_route_random_num)/g;

/** What the writers of such rules are told, with the place where the rules would act. */
export function silentResponses(assembly: Assembly): Problem[] {
  const { owningResources, namePrefix, listener } = assembly.host;
  const asker = namePrefix === undefined ? "Ingress" : "Gateway";
  return responseRules(assembly).flatMap(({ route, rules }): Problem[] => {
    const silent = rules.filter((rule) => forgottenBy(rule).length > 0);
    if (silent.length === 0) return [];
    const names = new Set(silent.map(({ name }) => (typeof name === "string" ? name : "without a name")));
    const variables = new Set(silent.flatMap(forgottenBy));
    const remedy =
      variables.size === 1 && variables.has(LOCAL)
        ? `give the ${asker} the annotation ngrok.com/mapping-strategy: endpoints-verbose`
        : `write them into the NgrokTrafficPolicy that the ${asker}'s annotation ngrok.com/traffic-policy names`;
    const reason = `its rules for responses (${[...names].join(", ")}) never act on ${listener.hostname}, as they stand under ${[...variables].toSorted().join(", ")}, which ngrok forgets before the response comes: ${remedy}`;
    const at = route?.writtenIn ?? { object: owningResources[0] ?? "", field: "spec.defaultBackend" };
    return [{ ...at, reason, effect: "ignored", host: listener.hostname.toLowerCase() }];
  });
}

function forgottenBy({ expressions = [] }: Rule): string[] {
  return expressions.flatMap((one) => one.match(OF_REQUESTS) ?? []);
}
