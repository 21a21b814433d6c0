// The examples of a page of docs/: manifests, and what the page says that they become.
import { parseAllDocuments } from "yaml";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import type { Translation } from "#operator/translate/model.ts";
import type { World } from "./world.ts";

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

/** The same of what stands in the world, as if the page's namespace were its own. */
export async function becameIn(world: World, page: string): Promise<string[]> {
  const endpoints = [...(await all(world, CloudEndpoint)), ...(await all(world, AgentEndpoint))];
  const lines = became({ endpoints, domains: await all(world, Domain), problems: [] });
  return lines.map((line) => line.replace(new RegExp(`\\.${world.namespace}(?=[.:])`), `.${page}`)).toSorted();
}

async function all<T extends KubeObject>({ read, namespace }: World, kind: Kind<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const { items } of read.pages(kind, { namespace }, AbortSignal.timeout(60_000)))
    found.push(...items.map((item) => ({ ...item, kind: kind.kind })));
  return found;
}
