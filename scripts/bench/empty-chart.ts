// Charts that do nothing, of the same image and shape as ours: what Helm and the cluster take by themselves.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";

const POD = {
  runAsNonRoot: true,
  runAsUser: 65_532,
  runAsGroup: 65_532,
  seccompProfile: { type: "RuntimeDefault" },
};
const CONTAINER = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } };
/** As process 1 it has to hear that it should end. */
const WAITS = 'process.on("SIGTERM", () => process.exit()); setInterval(() => {}, 1e6)';

export interface EmptyChart extends AsyncDisposable {
  /** A folder, for Helm. */
  readonly path: string;
}

/**
 * Two hook Jobs around the uninstall, annotated as ours, that run nothing.
 * @param deployment with it also one pod that waits; the value `note` is one of its annotations.
 */
export async function emptyChart(image: string, { deployment = false } = {}): Promise<EmptyChart> {
  const path = await mkdtemp(join(tmpdir(), "ngrok-operator-bench-chart-"));
  await mkdir(join(path, "templates"));
  await writeFile(join(path, "Chart.yaml"), stringify({ apiVersion: "v2", name: "empty", version: "0.1.0" }));
  const objects = [jobOf("pre-delete", image), jobOf("post-delete", image), ...(deployment ? [podsOf(image)] : [])];
  await writeFile(join(path, "templates/all.yaml"), objects.map((object) => stringify(object)).join("---\n"));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
}

function jobOf(phase: string, image: string): object {
  const annotations = {
    "helm.sh/hook": phase,
    "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    "helm.sh/hook-output-log-policy": "hook-succeeded,hook-failed",
  };
  const container = containerOf(image, "0", { cpu: "50m", memory: "96Mi" });
  const template = { spec: { restartPolicy: "Never", securityContext: POD, containers: [container] } };
  const metadata = { name: `empty-${phase}`, annotations };
  return { apiVersion: "batch/v1", kind: "Job", metadata, spec: { backoffLimit: 0, template } };
}

function podsOf(image: string): object {
  const labels = { app: "empty" };
  const annotations = { note: '{{ .Values.note | default "none" | quote }}' };
  const container = containerOf(image, WAITS, { cpu: "100m", memory: "128Mi" });
  const template = { metadata: { labels, annotations }, spec: { securityContext: POD, containers: [container] } };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "empty" }, spec };
}

function containerOf(image: string, code: string, requests: object): object {
  return {
    name: "nothing",
    image,
    command: ["/usr/local/bin/node", "-e", code],
    resources: { requests, limits: { cpu: "2", memory: "512Mi" } },
    securityContext: CONTAINER,
  };
}
