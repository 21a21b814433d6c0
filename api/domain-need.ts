// Whether an endpoint needs a Domain for its host. Pure, from what its spec says.
import { isInternalHost, parseEndpointUrl } from "./names.ts";

export type DomainNeed =
  | { readonly is: "none"; readonly why: string }
  | { readonly is: "domain"; readonly host: string }
  | { readonly is: "invalid"; readonly problem: string };

/** Pure: from the endpoint's URL and bindings. */
export function domainNeed(url: string, bindings: readonly string[] | undefined): DomainNeed {
  const parsed = parseEndpointUrl(url);
  if ("problem" in parsed) return { is: "invalid", problem: `spec.url: ${parsed.problem}` };
  const none = (why: string): DomainNeed => ({
    is: "none",
    why: `Domain ready (${why} - no domain reservation needed)`,
  });
  if (bindings?.includes("kubernetes") === true) return none("Kubernetes binding");
  if (bindings?.includes("internal") === true) return none("internal binding");
  if (parsed.url.scheme === "tcp") return none("TCP ngrok URL");
  if (isInternalHost(parsed.url.host)) return none("internal domain");
  return { is: "domain", host: parsed.url.host };
}
