// Every row of what Ingresses and Gateways may ask for, as objects that a user would write: each row has a host of its own,
// and says what has to be found in the endpoints of that host, or that there must be none.
import { parseEndpointUrl } from "#api/names.ts";
import type { KubeObject } from "#kube/kind.ts";
import { hostOf } from "./routing-parts.ts";
import { annotationRows } from "./routing-rows-annotations.ts";
import { gatewayRows } from "./routing-rows-gateway.ts";
import { ingressRows } from "./routing-rows-ingress.ts";

/** An object as a user writes it. */
export type Manifest = KubeObject & { readonly [field: string]: unknown };

export interface Row {
  /** Also the first label of its host, and the name of its Service. */
  readonly name: string;
  readonly objects: readonly Manifest[];
  /** What the text of the host's endpoints contains; "nothing": there is no endpoint for the host. */
  readonly makes: readonly string[] | "nothing";
  /** What it does not contain. */
  readonly lacks?: readonly string[];
  /** What an event or a condition on an object of the row says; nothing where all is well. */
  readonly told?: string;
}

/** Where the rows stand: two namespaces of the cluster. */
export interface Places {
  readonly shop: string;
  /** In which other things lie, some of them granted. */
  readonly other: string;
}

export function allRows(places: Places): readonly Row[] {
  return [...annotationRows(places), ...ingressRows(places), ...gatewayRows(places)];
}

/** What a row says of its endpoints and is not so, a line each. */
export function missingIn({ name, makes, lacks = [] }: Row, endpoints: readonly KubeObject[]): string[] {
  const text = endpointsOf(name, endpoints);
  if (makes === "nothing") return text === "" ? [] : [`${name} has an endpoint: ${text}`];
  return [
    ...makes.filter((part) => !text.includes(part)).map((part) => `${name} lacks ${part} in: ${text}`),
    ...lacks.filter((part) => text.includes(part)).map((part) => `${name} has ${part} in: ${text}`),
  ];
}

/** The text of the endpoints for the host of a row, and of those of its own Service; "" when its host has none. */
function endpointsOf(row: string, endpoints: readonly KubeObject[]): string {
  const urlOf = (object: KubeObject): string => (object as { spec?: { url?: string } }).spec?.url ?? "";
  const isPublic = (object: KubeObject): boolean => {
    const parsed = parseEndpointUrl(urlOf(object));
    return !("problem" in parsed) && parsed.url.host.replace(/^\*\./, "") === hostOf(row);
  };
  const found = endpoints.filter((one) => isPublic(one));
  const behind = endpoints.filter((one) => new RegExp(`^[a-z]+://[0-9a-f]{5}-${row}-`).test(urlOf(one)));
  return found.length === 0 ? "" : [...found, ...behind].map((one) => JSON.stringify(one)).join("\n");
}
