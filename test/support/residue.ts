// What an uninstall has left behind, counted by plain kubectl over every kind that can be listed. It imports nothing of
// the product: who counts must not share a mistake with who is counted.
import type { Kubectl } from "./kubectl.ts";

const OUR_FINALIZERS = ["k8s.ngrok.com/finalizer", "ngrok.com/finalizer"];
const OUR_GROUPS = /(^|\.)k8s\.ngrok\.com\//;
/** The API server's own, which name no controller that could still come. */
const NOBODYS_FINALIZERS = ["foregroundDeletion", "orphan"];
/** kubectl processes at a time; each lists its share of the kinds page by page. */
const AT_ONCE = 3;
const TRIES = 10;

export interface Residue {
  readonly count: number;
  /** What each is, for people: `finalizer on cloudendpoint shop/web`. */
  readonly lines: readonly string[];
}

interface Listed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly terminating: boolean;
  readonly finalizers: readonly string[];
}

/**
 * Objects that carry a finalizer of ours, custom resources of our groups that terminate without a stranger's finalizer,
 * and namespaces that terminate. A kind that cannot be listed is an error, never zero.
 */
export async function residue(kubectl: Kubectl): Promise<Residue> {
  const lines = (await allObjects(kubectl)).flatMap((object) => reason(object) ?? []);
  return { count: lines.length, lines };
}

/** The objects that carry a finalizer of ours, as `cloudendpoint shop/web`. */
export async function carriers(kubectl: Kubectl): Promise<string[]> {
  return (await allObjects(kubectl)).filter(isCarrier).map(nameOf);
}

/** Everything with this label, as `configmap shop/report`; `selector` as kubectl takes it. */
export async function labelled(kubectl: Kubectl, selector: string): Promise<string[]> {
  return (await allObjects(kubectl, ["--selector", selector])).map(nameOf);
}

function reason(object: Listed): string | undefined {
  if (isCarrier(object)) return `finalizer on ${nameOf(object)}`;
  if (!object.terminating) return undefined;
  if (object.apiVersion === "v1" && object.kind === "Namespace") return `${nameOf(object)} is stuck`;
  const foreign = object.finalizers.some((entry) => !NOBODYS_FINALIZERS.includes(entry));
  return OUR_GROUPS.test(object.apiVersion) && !foreign ? `${nameOf(object)} is still terminating` : undefined;
}

function isCarrier({ finalizers }: Listed): boolean {
  return finalizers.some((entry) => OUR_FINALIZERS.includes(entry));
}

function nameOf({ kind, namespace, name }: Listed): string {
  return `${kind.toLowerCase()} ${namespace === "" ? name : `${namespace}/${name}`}`;
}

/** One line an object; tabs cannot stand in any of the fields. */
const FIELDS = ".apiVersion .kind .metadata.namespace .metadata.name .metadata.deletionTimestamp .metadata.finalizers";
const TEMPLATE = `jsonpath={range .items[*]}${FIELDS.split(" ")
  .map((field) => `{${field}}`)
  .join('{"\\t"}')}{"\\n"}{end}`;

async function allObjects(kubectl: Kubectl, flags: readonly string[] = []): Promise<Listed[]> {
  for (let tried = 1; ; tried += 1) {
    try {
      const kinds = await listableKinds(kubectl);
      const shares = Array.from({ length: AT_ONCE }, (_, share) => kinds.filter((_kind, at) => at % AT_ONCE === share));
      const texts = await Promise.all(shares.map(async (share) => await list(kubectl, share, flags)));
      return texts.flatMap((text) => text.split("\n").filter(Boolean).map(parse));
    } catch (error) {
      // A CustomResourceDefinition that goes between the two questions: ask again what there is.
      const isGone =
        error instanceof Error && /doesn't have a resource type|could not find the requested/.test(error.message);
      if (!isGone || tried === TRIES) throw error;
    }
  }
}

async function listableKinds(kubectl: Kubectl): Promise<string[]> {
  const text = await kubectl.run(["api-resources", "--verbs=list", "--output=name"]);
  // The same events under a second name, and a check of components that only looks like a kind.
  return text
    .split("\n")
    .filter((kind) => kind !== "" && kind !== "events.events.k8s.io" && kind !== "componentstatuses");
}

async function list(kubectl: Kubectl, kinds: readonly string[], flags: readonly string[]): Promise<string> {
  return await kubectl.run(["get", kinds.join(","), "--all-namespaces", "--output", TEMPLATE, ...flags], {
    timeout: 120_000,
  });
}

function parse(line: string): Listed {
  const [apiVersion = "", kind = "", namespace = "", name = "", deleted = "", finalizers = ""] = line.split("\t");
  return {
    apiVersion,
    kind,
    namespace,
    name,
    terminating: deleted !== "",
    finalizers: finalizers === "" ? [] : (JSON.parse(finalizers) as string[]),
  };
}
