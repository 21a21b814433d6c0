// Texts of YAML or JSON become the objects that the translator reads, as the API server would have taken them: with their
// namespace, under a name that it would allow, with its defaults. What it would refuse is refused here, in one line.
import { isAlias, LineCounter, parseAllDocuments } from "yaml";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { keyOf, type Kind, type KubeObject, refOf } from "#kube/kind.ts";
import {
  ConfigMap,
  Gateway,
  GatewayClass,
  HTTPRoute,
  Ingress,
  IngressClass,
  Namespace,
  ReferenceGrant,
  Secret,
  Service,
  TCPRoute,
  TLSRoute,
} from "#kube/kinds.ts";
import { withDefaults } from "./defaults.ts";

export interface Source {
  /** As the user named it; `-` is standard input. */
  readonly name: string;
  readonly text: string;
}

export interface ManifestsRead {
  readonly objects: readonly KubeObject[];
  /** One line each: where, what, remedy. */
  readonly refused: readonly string[];
  readonly notes: readonly string[];
}

/** What the translator looks at; every other kind is somebody else's and passed over. */
const KINDS: readonly Kind[] = [
  AgentEndpoint,
  CloudEndpoint,
  ConfigMap,
  Domain,
  Gateway,
  GatewayClass,
  HTTPRoute,
  Ingress,
  IngressClass,
  Namespace,
  NgrokTrafficPolicy,
  ReferenceGrant,
  Secret,
  Service,
  TCPRoute,
  TLSRoute,
];

export function readManifests(sources: readonly Source[]): ManifestsRead {
  const objects = new Map<string, KubeObject>();
  const refused: string[] = [];
  const notes: string[] = [];
  for (const source of sources) {
    for (const found of documentsOf(source)) {
      const read = "problem" in found ? found : readObject(found.value, found.at);
      if (read === undefined) continue;
      if ("problem" in read) {
        refused.push(read.problem);
        continue;
      }
      const key = `${read.object.kind} ${keyOf(refOf(read.object))}`;
      if (objects.has(key)) notes.push(`${read.at}: ${key} is there twice: the last one is used, remove the other`);
      objects.set(key, read.object);
    }
  }
  return { objects: [...objects.values()], refused, notes };
}

type Found = { readonly value: unknown; readonly at: string } | { readonly problem: string };

/** Each document, and each item of a list, with the place where it stands. */
function documentsOf({ name, text }: Source): Found[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, merge: true, prettyErrors: false });
  return [...documents].flatMap((document): Found[] => {
    const [error] = document.errors;
    const offset = error?.pos[0] ?? document.contents?.range?.[0] ?? document.range[0];
    const { line, col } = lines.linePos(offset);
    const at = `${name}:${line}`;
    if (error !== undefined) {
      return [{ problem: `${at}:${col}: ${error.message.replaceAll(/\s+/g, " ")}: correct the YAML` }];
    }
    if (isAlias(document.contents)) return [{ problem: `${at}: the document is an alias: write the object` }];
    try {
      return itemsOf(document.toJS({ maxAliasCount: 100 }), at);
    } catch (error) {
      return [{ problem: `${at}: ${error instanceof Error ? error.message : String(error)}: write the objects out` }];
    }
  });
}

function itemsOf(value: unknown, at: string): Found[] {
  if (value === null || value === undefined) return [];
  if (!isMap(value) || !isListKind(value["kind"])) return [{ value, at }];
  const { kind, apiVersion, items } = value;
  if (items === null || items === undefined) return [];
  if (!Array.isArray(items)) return [{ problem: `${at}: items of the ${String(kind)} is not a list: write one` }];
  return items.flatMap((item: unknown, index): Found[] => {
    const typed = kind === "List" || !isMap(item) ? item : { apiVersion, kind: kind.slice(0, -"List".length), ...item };
    return itemsOf(typed, `${at}, items[${index}]`);
  });
}

function isListKind(kind: unknown): kind is string {
  return typeof kind === "string" && (kind === "List" || KINDS.some((one) => kind === `${one.kind}List`));
}

type Read = { readonly object: KubeObject; readonly at: string } | { readonly problem: string };

/** Undefined when it is of a kind that is passed over. */
function readObject(value: unknown, at: string): Read | undefined {
  const refuse = (reason: string): Read => ({ problem: `${at}: ${reason}` });
  if (!isMap(value)) return refuse("is not a Kubernetes object: write apiVersion, kind and metadata");
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== "string" || typeof kind !== "string")
    return refuse("has no apiVersion and kind: write both as text");
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  const known = KINDS.find((one) => one.kind === kind && one.group === group);
  if (known === undefined) return undefined;
  if (!known.versions.includes(apiVersion.slice(slash + 1)))
    return refuse(
      `${kind} of ${apiVersion} is not known: write ${group === "" ? "" : `${group}/`}${known.versions[0]}`,
    );
  if (!isMap(metadata)) return refuse(`${kind} has no metadata: write metadata.name`);
  const { name, namespace: given } = metadata;
  const namespace = known.namespaced ? (given ?? "default") : undefined;
  if (!isName(name)) return refuse(`${kind} has no metadata.name that Kubernetes takes: use a-z, 0-9, - and dots`);
  if (namespace !== undefined && !isLabel(namespace))
    return refuse(`${kind} ${name} has no metadata.namespace that Kubernetes takes: use a-z, 0-9 and -`);
  const wrong = wrongTexts(metadata);
  if (wrong !== undefined)
    return refuse(`${kind} ${name}: metadata.${wrong} is not a map of texts: put quotes around its values`);
  if (value["spec"] === null) return readObject({ ...value, spec: undefined }, at);
  if (value["spec"] !== undefined && !isMap(value["spec"]))
    return refuse(`${kind} ${name}: spec is not a map: write one`);
  const { namespace: _, ...rest } = metadata;
  const own = namespace === undefined ? rest : { ...rest, namespace };
  return { object: withDefaults({ ...value, apiVersion, kind, metadata: { ...own, name } }), at };
}

function wrongTexts(metadata: Readonly<Record<string, unknown>>): string | undefined {
  return ["annotations", "labels"].find((field) => {
    const texts = metadata[field] ?? {};
    return !isMap(texts) || Object.values(texts).some((one) => typeof one !== "string");
  });
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= 253 && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(value);
}

function isLabel(value: unknown): value is string {
  return typeof value === "string" && value.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(value);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
