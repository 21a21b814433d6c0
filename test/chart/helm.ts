// The chart as Helm renders it, without a cluster: objects, or the text with which Helm refuses.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { objectsIn } from "#test/support/manifest.ts";
import { binaries } from "#tools/binaries.ts";
import { command, CommandFailed } from "#tools/command.ts";

export const CHART = join(import.meta.dirname, "..", "..", "chart");
export type HelmVersion = "helm3" | "helm4";

/** As much of a Kubernetes object as the tests look at. */
export interface Rendered {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: {
    selector?: { matchLabels: Record<string, string> };
    template?: { spec: PodSpec };
    activeDeadlineSeconds?: number;
  };
  rules?: { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] }[];
  roleRef?: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace: string }[];
  data?: unknown;
}

export interface PodSpec {
  serviceAccountName: string;
  automountServiceAccountToken: boolean;
  securityContext: Record<string, unknown>;
  containers: Container[];
}

export interface Container {
  name: string;
  image: string;
  command: string[];
  args?: string[];
  env: { name: string; value?: string; valueFrom?: unknown }[];
  securityContext: Record<string, unknown>;
  resources: { requests: Record<string, string>; limits: Record<string, string> };
}

export interface TemplateOptions {
  readonly helm?: HelmVersion;
  readonly release?: string;
  readonly namespace?: string;
  /** Paths of values files. */
  readonly files?: readonly string[];
  /** `path=value` as for `--set`. */
  readonly set?: readonly string[];
  /** `path=json` as for `--set-json`. */
  readonly json?: readonly string[];
  readonly chart?: string;
  readonly flags?: readonly string[];
}

const rendered = new Map<string, Promise<string>>();

/** What `helm template` prints. Rejects with Helm's own text when it refuses. The same values are rendered once. */
export async function templateText(options: TemplateOptions = {}): Promise<string> {
  const key = JSON.stringify(options);
  const known = rendered.get(key) ?? renderAnew(options);
  rendered.set(key, known);
  return await known;
}

/** The same, by another run of Helm whatever was rendered before. */
export async function renderAnew(options: TemplateOptions): Promise<string> {
  const {
    helm = "helm4",
    release = "edge",
    namespace = "ngrok",
    files = [],
    set = [],
    json = [],
    flags = [],
  } = options;
  const folder = await binaries((line) => process.stderr.write(`${line}\n`));
  const args = [
    "template",
    release,
    options.chart ?? CHART,
    "--namespace",
    namespace,
    ...files.flatMap((file) => ["--values", file]),
    ...set.flatMap((one) => ["--set", one]),
    ...json.flatMap((one) => ["--set-json", one]),
    ...flags,
  ];
  return await command(join(folder, helm), args, { timeout: 30_000 });
}

/** The objects, hooks included, in an order that does not depend on Helm's. */
export async function objects(options: TemplateOptions = {}): Promise<Rendered[]> {
  return objectsIn<Rendered>(await templateText(options)).toSorted((a, b) => idOf(a).localeCompare(idOf(b)));
}

export function idOf({ kind, metadata }: Rendered): string {
  return `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
}

/** The text with which Helm refuses these values; undefined when it takes them. */
export async function refusal(options: TemplateOptions): Promise<string | undefined> {
  try {
    await templateText(options);
    return undefined;
  } catch (error) {
    if (error instanceof CommandFailed) return error.stderr;
    throw error;
  }
}

/** Every values file that must work: those of `ct`, and those of test/chart/values. */
export function valuesFiles(): { name: string; path: string }[] {
  return [join(CHART, "ci"), join(import.meta.dirname, "values")].flatMap((folder) =>
    readdirSync(folder).map((name) => ({ name, path: join(folder, name) })),
  );
}

export function podsOf(all: readonly Rendered[]): { id: string; pod: PodSpec }[] {
  return all.flatMap((object) => {
    const pod = object.spec?.template?.spec;
    return pod === undefined ? [] : [{ id: idOf(object), pod }];
  });
}
