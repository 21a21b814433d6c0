// The program of the bindings-forwarder-manager: the process's environment, arguments and signals, handed to the runtime.
import process from "node:process";
import { ingressAuthorities } from "#ngrok/roots.ts";
import { proxyFrom } from "#wire/proxy-from.ts";
import { Forwarder, LIMITS } from "../../forwarding/forwarder.ts";
import { withHands } from "../../runtime/define-replica.ts";
import { type Opened, replicaProgram, type Work } from "../../runtime/replica-program.ts";
import { listenerController } from "../../controllers/listener/controller.ts";
import { bindingsForwarderManager } from "./manager.ts";

/** As long as Services take at most to stop sending new connections to a pod that is about to stop. */
const QUIET_MS = 3_000;
/** Of the pod's grace, what is left for the process to end. */
const SPARE_MS = 2_000;

const stop = new AbortController();
for (const name of ["SIGTERM", "SIGINT"] as const)
  process.once(name, () => stop.abort(new Error(`${name} was received`)));
process.exitCode = await replicaProgram(
  { manager: bindingsForwarderManager, open },
  { argv: process.argv.slice(2), env: process.env, out: process.stdout, err: process.stderr, signal: stop.signal },
);
// After a loop has broken, what listens would keep the process alive, with nobody to look after it.
process.exit();

function open({ clock, log, graceMs, metrics, extraRoots }: Opened): Work {
  const proxy = proxyFrom(process.env);
  const ca = ingressAuthorities(extraRoots);
  const forwarder = new Forwarder({ limits: LIMITS, clock, log, ca, proxy, meter: metrics.connections() });
  return {
    works: [withHands(listenerController, forwarder)],
    checks: { alive: [], ready: [] },
    async closing() {
      const quietMs = Math.min(QUIET_MS, graceMs);
      await clock.sleep(quietMs);
      log.info({ connections: forwarder.connections }, "takes no new connections, and lets the others end");
      await forwarder.stop(Math.max(0, graceMs - quietMs - SPARE_MS));
    },
  };
}
