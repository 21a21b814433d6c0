// Every row of what Ingresses and Gateways may ask for, as objects that a user would write: each row has a host of its own,
// and says what has to be found in the endpoints of that host, or that there must be none.
import { parseEndpointUrl } from "#api/names.ts";
import type { KubeObject } from "#kube/kind.ts";
import { hostOf } from "./routing-parts.ts";
import { annotationRows } from "./routing-rows-annotations.ts";
import { backendRows } from "./routing-rows-backends.ts";
import { barredRows } from "./routing-rows-barred.ts";
import { gatewayRows } from "./routing-rows-gateway.ts";
import { ingressRows } from "./routing-rows-ingress.ts";
import { mappingRows } from "./routing-rows-mapping.ts";
import { ruleRows } from "./routing-rows-rules.ts";
import { tlsRows } from "./routing-rows-tls.ts";

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
  /** What comes in this order. */
  readonly inOrder?: readonly string[];
  /** What an event or a condition on an object of the row says; nothing where all is well. */
  readonly told?: string;
  /** What the API server says to one of the objects, which it does not take: such a row is a file's, and no cluster's. */
  readonly barred?: string;
}

/** Where the rows stand: two namespaces of the cluster. */
export interface Places {
  readonly shop: string;
  /** In which other things lie, some of them granted. */
  readonly other: string;
}

export function allRows(places: Places): readonly Row[] {
  return [annotationRows, ingressRows, mappingRows, gatewayRows, tlsRows, ruleRows, backendRows, barredRows].flatMap(
    (rows) => rows(places),
  );
}

/** Whether the line, `Kind namespace/name: what is said of it`, is the row's word to somebody who wrote one of its objects. */
export function tells({ objects, told = "" }: Row, line: string): boolean {
  return objects.some(({ kind, metadata }) => {
    const own = `${kind} ${metadata.namespace}/${metadata.name}: `;
    // Names of objects are often those of what is wrong with them.
    return line.startsWith(own) && line.slice(own.length).includes(told);
  });
}

/** What a row says of its endpoints and is not so, a line each. */
export function missingIn({ name, makes, lacks = [], inOrder = [] }: Row, endpoints: readonly KubeObject[]): string[] {
  const text = endpointsOf(name, endpoints);
  if (makes === "nothing") return text === "" ? [] : [`${name} has an endpoint: ${text}`];
  return [
    ...makes.filter((part) => !text.includes(part)).map((part) => `${name} lacks ${part} in: ${text}`),
    ...lacks.filter((part) => text.includes(part)).map((part) => `${name} has ${part} in: ${text}`),
    ...outOfOrder(inOrder, text).map((part) => `${name} lacks ${part} after what is before it in: ${text}`),
  ];
}

/** The first part that does not come after the one before it. */
function outOfOrder(parts: readonly string[], text: string): string[] {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    if (at < 0) return [part];
    from = at + part.length;
  }
  return [];
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
