// Where requests come into ngrok and leave it: stand-ins of its edge, to which agents connect, and of its binding ingress, to
// which forwarders do. And what the chart has to be told of them.
import type { NgrokApi } from "#test/support/ngrok-api/server.ts";
import { httpAnswer } from "#test/support/ngrok-bindings/http-answer.ts";
import { type NgrokBindings, startNgrokBindings } from "#test/support/ngrok-bindings/ingress.ts";
import { type NgrokEdge, startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import type { Way } from "./features.ts";

/** The endpoint of the account that is bound into the cluster, as a request at the binding ingress names it. */
export const BOUND = "billing.demo-traffic:80";
export const BOUND_URL = `http://${BOUND}`;
export const CA = "ngrok-ca";

export interface Fronts extends AsyncDisposable {
  readonly edge?: NgrokEdge;
  readonly ingress?: NgrokBindings;
  /** Where both listen on this machine. */
  readonly host: string;
}

/** No traffic at all. */
export const NO_FRONTS: Fronts = { host: "", [Symbol.asyncDispose]: async () => await Promise.resolve() };

/**
 * @param at.host where they listen; `name` is how pods reach that.
 * @param api signs the certificates that the binding ingress takes.
 */
export async function startFronts(
  ways: readonly Way[],
  { host, name }: { readonly host: string; readonly name: string },
  api: NgrokApi,
): Promise<Fronts> {
  await using started = new AsyncDisposableStack();
  const listen = { host, names: [name] };
  const edge = ways.includes("agent") ? started.use(await startNgrokEdge(listen)) : undefined;
  // The chart takes one more authority, not two.
  const authority = edge === undefined ? {} : { authority: edge.authority };
  const given = { ...listen, ...authority, clientCa: await api.authority(), endpoints: { [BOUND]: httpAnswer } };
  const ingress = ways.includes("bindings") ? started.use(await startNgrokBindings(given)) : undefined;
  const all = started.move();
  return {
    ...(edge !== undefined && { edge }),
    ...(ingress !== undefined && { ingress }),
    host,
    [Symbol.asyncDispose]: async () => await all.disposeAsync(),
  };
}

/** What the chart is installed with, so that its pods come to them. */
export function valuesOf({ edge, ingress }: Fronts): Readonly<Record<string, string | boolean>> {
  return {
    ...(edge !== undefined && { "agent.enabled": true, serverAddr: edge.serverAddr }),
    ...(ingress !== undefined && { "bindings.enabled": true, "bindings.ingressEndpoint": ingress.address }),
    ...((edge ?? ingress) !== undefined && { "extraCA.configMapName": CA }),
  };
}
