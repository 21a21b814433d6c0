// The filters of an HTTPRoute as traffic policies, one each, so that the order of the filters is that of the rules.
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { KubeObject } from "#kube/kind.ts";
import type { HeaderModifier, HttpRouteFilter, ObjectReference } from "#kube/routing-objects.ts";
import { parsePolicy, type Phase, type Policy, policyWith, type Rule } from "../policy.ts";
import type { PathMatch } from "./matches.ts";
import { redirectAction, rewriteAction, tellOfSlashes, type Unmade } from "./rewrite.ts";
import { quoted, type Tell, type View } from "./view.ts";

export interface FilterContext {
  readonly view: View;
  /** Of the route: where an ExtensionRef looks. */
  readonly namespace: string;
  /** What the route matches of the path; a redirect replaces parts of it. */
  readonly path: PathMatch;
  readonly tell: Tell;
}

/** A filter that fails is left out and told of, unless it may be what guards the route: that one answers for it. */
export function filterPolicies(
  filters: readonly HttpRouteFilter[] | undefined,
  field: string,
  context: FilterContext,
): Policy[] {
  return (filters ?? []).flatMap((filter, at) => {
    const tellOf: Tell = (part, reason) => context.tell(`${field}[${at}]${part}`, reason, "ignored");
    tellOfSlashes(filter, context.path, tellOf);
    tellOfNumbers(filter, tellOf);
    tellOfExpressions(filter, tellOf);
    const made = policyOf(filter, context);
    if ("on_http_request" in made) return [made];
    context.tell(`${field}[${at}]${made.field}`, made.reason);
    return GUARDS.has(filter.type) ? [CLOSED] : [];
  });
}

/** May ask who is calling. Gateway API forbids to serve as if such a filter were not there. */
const GUARDS = new Set(["ExtensionRef", "ExternalAuth"]);

const CLOSED: Policy = policyWith("on_http_request", [
  {
    name: "GatewayAPI-Unresolved-Filter",
    actions: [
      {
        type: "custom-response",
        config: {
          status_code: 500,
          content: "A filter of this route could not be resolved",
          headers: { "content-type": "text/plain" },
        },
      },
    ],
  },
]);

function policyOf(filter: HttpRouteFilter, context: FilterContext): Policy | Unmade {
  switch (filter.type) {
    case "RequestHeaderModifier":
      return headerPolicy(filter.requestHeaderModifier, "requestHeaderModifier", {
        name: "GatewayAPI-Request-Header-Filter",
        phase: "on_http_request",
      });
    case "ResponseHeaderModifier":
      return headerPolicy(filter.responseHeaderModifier, "responseHeaderModifier", {
        name: "GatewayAPI-Response-Header-Filter",
        phase: "on_http_response",
      });
    case "RequestRedirect":
      return redirectPolicy(filter, context);
    case "URLRewrite":
      return rewritePolicy(filter, context);
    case "ExtensionRef":
      return extensionPolicy(filter, context);
    default:
      return {
        field: ".type",
        reason: `${quoted(filter.type)} is not supported: remove it, or write an NgrokTrafficPolicy and name it by an ExtensionRef`,
      };
  }
}

function headerPolicy(
  modifier: HeaderModifier | undefined,
  field: string,
  { name, phase }: { name: string; phase: Phase },
): Policy | Unmade {
  if (modifier === undefined) return missing(field);
  const { removed, added } = changesOf(modifier);
  const rule: Rule = {
    name,
    actions: [
      { type: "remove-headers", config: { headers: removed } },
      { type: "add-headers", config: { headers: added } },
    ],
  };
  return policyWith(phase, [rule]);
}

function changesOf({ set = [], add = [], remove = [] }: HeaderModifier): {
  readonly removed: readonly string[];
  readonly added: Readonly<Record<string, string>>;
} {
  return {
    removed: [...remove, ...set.map((header) => header.name)],
    added: Object.fromEntries([...add, ...set].map((header) => [header.name, header.value])),
  };
}

/** Of ngrok's documentation of both actions. */
const MOST_HEADERS = 10;

const MODIFIERS = ["requestHeaderModifier", "responseHeaderModifier"] as const;

/** Gateway API allows sixteen in each list. ngrok refuses the whole policy, and with it all that the host has. */
function tellOfNumbers(filter: HttpRouteFilter, tell: Tell): void {
  for (const field of MODIFIERS) {
    const modifier = filter[field];
    if (modifier === undefined) continue;
    const { removed, added } = changesOf(modifier);
    const numbers = [
      { number: removed.length, what: "removed (remove and set)" },
      { number: Object.keys(added).length, what: "added (add and set)" },
    ];
    for (const { number, what } of numbers.filter((one) => one.number > MOST_HEADERS))
      tell(
        `.${field}`,
        `${number} headers are ${what}, and ngrok refuses more than ${MOST_HEADERS} in one action: write the others into an NgrokTrafficPolicy and name it by an ExtensionRef`,
      );
  }
}

/** Text for Gateway API. ngrok writes in its place what the expression says, and has no sign that takes this away. */
function tellOfExpressions(filter: HttpRouteFilter, tell: Tell): void {
  const reason =
    "ngrok takes ${...} for an expression and writes its value, where Gateway API means the text: take the ${ out, or, if the expression is meant, write the header into an NgrokTrafficPolicy and name it by an ExtensionRef";
  for (const field of MODIFIERS)
    for (const list of ["set", "add"] as const)
      for (const [at, { value }] of (filter[field]?.[list] ?? []).entries())
        if (value.includes("${")) tell(`.${field}.${list}[${at}].value`, reason);
}

function redirectPolicy({ requestRedirect }: HttpRouteFilter, { path }: FilterContext): Policy | Unmade {
  if (requestRedirect === undefined) return missing("requestRedirect");
  const action = redirectAction(requestRedirect, path);
  if ("reason" in action) return { ...action, field: `.requestRedirect${action.field}` };
  return policyWith("on_http_request", [{ name: "GatewayAPI-Redirect-Filter", actions: [action] }]);
}

function rewritePolicy({ urlRewrite }: HttpRouteFilter, { path }: FilterContext): Policy | Unmade {
  if (urlRewrite === undefined) return missing("urlRewrite");
  const action = rewriteAction(urlRewrite, path);
  if ("reason" in action) return { ...action, field: `.urlRewrite${action.field}` };
  return policyWith("on_http_request", [{ name: "GatewayAPI-URL-Rewrite-Filter", actions: [action] }]);
}

/** What an ExtensionRef names: a policy, or why there is none, in the words of Gateway API as well. */
export type Extension =
  | { readonly is: "policy"; readonly policy: KubeObject }
  | { readonly is: "wrong"; readonly reason: "BackendNotFound" | "InvalidKind"; readonly message: string };

export function extensionOf(view: View, namespace: string, { group = "", kind, name }: ObjectReference): Extension {
  if ((group !== "" && group !== NgrokTrafficPolicy.group) || kind?.toLowerCase() !== "ngroktrafficpolicy") {
    const message = `${quoted(kind ?? "")} of group ${quoted(group)} is not known: name an NgrokTrafficPolicy`;
    return { is: "wrong", reason: "InvalidKind", message };
  }
  const policy = view.manifests.get(NgrokTrafficPolicy, { name, namespace });
  if (policy !== undefined) return { is: "policy", policy };
  const message = `NgrokTrafficPolicy ${namespace}/${name} does not exist: create it or name another`;
  return { is: "wrong", reason: "BackendNotFound", message };
}

function extensionPolicy({ extensionRef: ref }: HttpRouteFilter, context: FilterContext): Policy | Unmade {
  if (ref === undefined) return missing("extensionRef");
  const wrong = (reason: string): Unmade => ({ field: ".extensionRef", reason });
  const { name } = ref;
  const { namespace } = context;
  const extension = extensionOf(context.view, namespace, ref);
  if (extension.is === "wrong") return wrong(extension.message);
  const found = extension.policy;
  const read = parsePolicy((found as { spec?: { policy?: unknown } }).spec?.policy);
  if (!("policy" in read))
    return wrong(`NgrokTrafficPolicy ${namespace}/${name} cannot be used, since its ${read.field} ${read.reason}`);
  if (read.policy.on_tcp_connect.length === 0) return read.policy;
  return wrong(
    `NgrokTrafficPolicy ${namespace}/${name} has rules of on_tcp_connect, which know no route: move them to the policy of the Gateway's annotation`,
  );
}

function missing(field: string): Unmade {
  return { field: `.${field}`, reason: "is missing: write what the filter is to do" };
}
