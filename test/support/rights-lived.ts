// A life of an install (rights-life.ts) under its chart's own accounts, and what these asked the API server for in it.
import type { KubeObject } from "#kube/kind.ts";
import { type AuditEvent, endOf, eventsSince } from "./audit.ts";
import { ChartInstall, renderChart, type Values } from "./chart-install.ts";
import type { Ground } from "./rights-ground.ts";
import { Life } from "./rights-life.ts";

export interface Lived {
  readonly objects: readonly KubeObject[];
  /** Requests of the accounts, as the API server wrote them down. */
  readonly events: readonly AuditEvent[];
}

/** Installs the chart, lives the stories that `live` chooses, and says what was asked for. */
export async function lived(given: Ground, values: Values, live: (life: Life) => Promise<void>): Promise<Lived> {
  const objects = await renderChart(given.bin, values);
  const { plane, ngrok, connection, kubectl } = given;
  const since = await endOf(plane.auditLog);
  {
    const server = given.meddler.url;
    const parts = { objects, kubeconfig: plane.kubeconfig, server, apiUrl: ngrok.url, connection, kubectl };
    await using install = await ChartInstall.start(parts);
    const life = new Life(given, install, values);
    await life.cleared();
    await live(life);
  }
  return { objects, events: await eventsSince(plane.auditLog, since) };
}
