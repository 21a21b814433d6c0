// Where a life of an install is lived: a control plane with our CRDs and Gateway API's, ngrok's stand-in, and somebody who is
// always a moment ahead of the programs.
import { join } from "node:path";
import { connect, type Connection } from "#kube/connection.ts";
import { Namespace } from "#kube/kinds.ts";
import { type Writer, writer } from "#kube/writer.ts";
import { binaries, gatewayApiCrds } from "#tools/binaries.ts";
import type { ControlPlane } from "#tools/cluster/embedded/control-plane.ts";
import { command } from "#tools/command.ts";
import { afterUninstall } from "#wire/fence.ts";
import { ownControlPlane } from "./apiserver.ts";
import { installCrds } from "./crds.ts";
import { type Meddler, meddler } from "./meddler.ts";
import { type NgrokApi, startNgrokApi } from "./ngrok-api/server.ts";
import { patient } from "./patient.ts";

export interface Ground extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly bin: string;
  readonly connection: Connection;
  readonly write: Writer;
  readonly ngrok: NgrokApi;
  readonly meddler: Meddler;
  readonly signal: AbortSignal;
  /** Resolves when a program asks for a path like this. */
  readonly asked: (path: RegExp) => Promise<void>;
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
}

/** A control plane with our CRDs and Gateway API's, ngrok's stand-in, and the namespaces of the release and of what it watches. */
export async function ground(): Promise<Ground> {
  const stop = new AbortController();
  const [plane, ngrok, bin, gatewayApi] = await Promise.all([
    ownControlPlane(),
    startNgrokApi(),
    binaries(console.log),
    gatewayApiCrds("experimental"),
  ]);
  const connection = patient(await connect({ kubeconfig: plane.kubeconfig }));
  const write = writer(connection, afterUninstall(stop.signal));
  const kubectl: Ground["kubectl"] = async (args, input) =>
    await command(join(bin, "kubectl"), ["--kubeconfig", plane.kubeconfig, ...args], {
      timeout: 180_000,
      ...(input === undefined ? {} : { input }),
    });
  await kubectl(["apply", "--server-side", ...gatewayApi.flatMap((file) => ["-f", file])]);
  await installCrds(connection);
  for (const name of ["ops", "shop", "elsewhere"]) await write.create(Namespace, { metadata: { name } }, stop.signal);
  const waiting = new Set<{ readonly path: RegExp; readonly resolve: () => void }>();
  const between = await meddler(plane.kubeconfig, connection, async (_method, path) => {
    for (const one of waiting) if (one.path.test(path)) one.resolve();
    // A pod that a hook waits for ends as soon as the hook watches.
    if (path.startsWith("/api/v1/namespaces/ops/pods?") && path.includes("watch=true"))
      await kubectl(["delete", "pods", "--all", "-n", "ops", "--force", "--grace-period=0"]);
  });
  return {
    plane,
    bin,
    connection,
    write,
    ngrok,
    meddler: between,
    signal: stop.signal,
    kubectl,
    async asked(path) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const late = setTimeout(() => reject(new Error(`nobody asked for ${path} within two minutes`)), 120_000);
      const one = { path, resolve };
      waiting.add(one);
      await promise.finally(() => (clearTimeout(late), waiting.delete(one)));
    },
    [Symbol.asyncDispose]: async () => {
      await between[Symbol.asyncDispose]();
      await connection[Symbol.asyncDispose]();
      await ngrok[Symbol.asyncDispose]();
      await plane[Symbol.asyncDispose]();
      stop.abort();
    },
  };
}
