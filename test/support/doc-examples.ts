// The examples of a page of docs/: manifests, and what the page says that they become.
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "#kube/kind.ts";
import type { Translation } from "#operator/translate/model.ts";

export interface DocExample {
  readonly name: string;
  readonly objects: readonly KubeObject[];
  /** What they become, sorted; see `became`. */
  readonly promised: readonly string[];
}

/** Each `<!-- example: NAME -->` with its block of YAML, and the block of text behind that, if there is one. */
export function docExamples(page: string): DocExample[] {
  const blocks = page.matchAll(/<!-- example: (\w+) -->\n\n```yaml\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g);
  return [...blocks].map(([, name = "", yaml = "", text = ""]) => ({
    name,
    objects: parseAllDocuments(yaml).map((document) => document.toJS() as KubeObject),
    promised: text
      .split("\n")
      .filter((line) => line !== "")
      .toSorted(),
  }));
}

/** A line for each object, sorted: its kind, its address or `(internal)`, and what the agents reach. */
export function became({ endpoints, domains }: Translation): string[] {
  const lines = endpoints.map(({ kind = "", spec }) => {
    const url = new URL(spec.url).hostname.endsWith(".internal") ? "(internal)" : spec.url;
    return "upstream" in spec ? `${kind} ${url} -> ${spec.upstream.url}` : `${kind} ${url}`;
  });
  return [...lines, ...domains.map(({ spec }) => `Domain ${spec.domain}`)].toSorted();
}
