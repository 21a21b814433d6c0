// ngrok as the demo stands in for it: its API, its edge, to which agents connect, and its binding ingress, to which forwarders
// do. And what the chart has to be told of them.
import { createAuthority } from "#test/support/ngrok-api/certificates.ts";
import { type NgrokApi, type NgrokApiOptions, startNgrokApi } from "#test/support/ngrok-api/server.ts";
import { httpAnswer } from "#test/support/ngrok-bindings/http-answer.ts";
import { type NgrokBindings, startNgrokBindings } from "#test/support/ngrok-bindings/ingress.ts";
import { type NgrokEdge, startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import type { Way } from "./features.ts";

/** The endpoint of the account that is bound into the cluster, as a request at the binding ingress names it. */
export const BOUND = "billing.demo-traffic:80";
export const BOUND_URL = `http://${BOUND}`;
export const CA = "ngrok-ca";

/** Where requests come into ngrok and leave it. */
export interface Fronts {
  readonly edge?: NgrokEdge;
  readonly ingress?: NgrokBindings;
  /** Where both listen on this machine. */
  readonly host: string;
}

/** No traffic at all. */
export const NO_FRONTS: Fronts = { host: "" };

export interface Ngrok extends AsyncDisposable {
  readonly api: NgrokApi;
  readonly fronts: Fronts;
}

/** The fronts, and what ngrok's API has to know of them. */
export interface OpenFronts extends AsyncDisposable {
  readonly fronts: Fronts;
  /** For the API: by whom it signs certificates for forwarders, and where it sends these. */
  readonly account: Pick<NgrokApiOptions, "authority" | "ingressEndpoint">;
}

/** Where all of it listens; `name` is how pods reach that. */
interface At {
  readonly host: string;
  readonly name: string;
}

export async function startFronts(ways: readonly Way[], { host, name }: At): Promise<OpenFronts> {
  await using started = new AsyncDisposableStack();
  const listen = { host, names: [name] };
  const edge = ways.includes("agent") ? started.use(await startNgrokEdge(listen)) : undefined;
  // The API signs the certificates that the binding ingress takes, and tells operators where that is.
  const signer = await createAuthority(90);
  // Of the servers' own authorities the chart takes one, not two.
  const authority = edge === undefined ? {} : { authority: edge.authority };
  const given = { ...listen, ...authority, clientCa: signer.certificate, endpoints: { [BOUND]: httpAnswer } };
  const ingress = ways.includes("bindings") ? started.use(await startNgrokBindings(given)) : undefined;
  const all = started.move();
  return {
    fronts: { ...(edge !== undefined && { edge }), ...(ingress !== undefined && { ingress }), host },
    account: ingress === undefined ? {} : { authority: signer, ingressEndpoint: ingress.address },
    [Symbol.asyncDispose]: async () => await all.disposeAsync(),
  };
}

/** With `bindings` among the ways, the account has an endpoint of its own that is to be bound into the cluster. */
export async function startNgrok(ways: readonly Way[], at: At, key: string): Promise<Ngrok> {
  await using started = new AsyncDisposableStack();
  const { fronts, account } = started.use(await startFronts(ways, at));
  const api = started.use(await startNgrokApi({ host: at.host, keys: [key], ...account }));
  if (fronts.ingress !== undefined)
    await api.add("endpoints", { type: "cloud", url: BOUND_URL, bindings: ["kubernetes"] });
  const all = started.move();
  return { api, fronts, [Symbol.asyncDispose]: async () => await all.disposeAsync() };
}

/** What pods have to trust to come to them, as the chart's extraCA finds it. */
export function caOf({ edge, ingress }: Fronts, namespace: string): object | undefined {
  const ca = edge?.ca ?? ingress?.ca;
  if (ca === undefined) return undefined;
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: CA, namespace }, data: { "ca.crt": ca } };
}

/** What the chart is installed with, so that its pods come to them. */
export function valuesOf({ edge, ingress }: Fronts): Readonly<Record<string, string | boolean>> {
  return {
    ...(edge !== undefined && { "agent.enabled": true, serverAddr: edge.serverAddr }),
    ...(ingress !== undefined && { "bindings.enabled": true }),
    ...((edge ?? ingress) !== undefined && { "extraCA.configMapName": CA }),
  };
}
