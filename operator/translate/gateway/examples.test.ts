// docs/gateway-api.md promises what its examples become.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import type { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { KubeObject } from "#kube/kind.ts";
import { gatewayOptions } from "#test/support/gateway-ground.ts";
import { index } from "../manifests.ts";
import { translate } from "../translate.ts";

const page = readFileSync("docs/gateway-api.md", "utf8");
const examples = [
  ...page.matchAll(/<!-- example: (\w+) -->\n\n```yaml\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g),
].map(([, name = "", yaml = "", text = ""]) => ({ name, objects: objectsOf(yaml), text }));
const standing = examples.find(({ name }) => name === "class")?.objects ?? [];

function objectsOf(yaml: string): KubeObject[] {
  return parseAllDocuments(yaml).map((document) => document.toJS() as KubeObject);
}

function told(endpoint: CloudEndpoint | AgentEndpoint): string {
  const { kind = "", spec } = endpoint;
  const url = new URL(spec.url).hostname.endsWith(".internal") ? "(internal)" : spec.url;
  return "upstream" in spec ? `${kind} ${url} -> ${spec.upstream.url}` : `${kind} ${url}`;
}

test("the page has an example of every kind", () => {
  const kinds = new Set(examples.flatMap(({ objects }) => objects.map(({ kind }) => kind)));
  expect([...kinds]).toEqual(
    expect.arrayContaining(["GatewayClass", "Gateway", "HTTPRoute", "TCPRoute", "TLSRoute", "ReferenceGrant"]),
  );
});

test.for(examples)("the example $name becomes what the page says", ({ objects, text }) => {
  const { endpoints, domains, problems } = translate(index([...standing, ...objects]), gatewayOptions);
  expect(problems).toEqual([]);
  const lines = [...endpoints.map(told), ...domains.map(({ spec }) => `Domain ${spec.domain}`)];
  expect(lines.toSorted()).toEqual(
    text
      .split("\n")
      .filter((line) => line !== "")
      .toSorted(),
  );
});
