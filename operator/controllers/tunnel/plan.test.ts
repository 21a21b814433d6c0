// What an AgentEndpoint comes to, with the Secrets and the policy that it names.
import { expect, test } from "vitest";
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import type { SecretObject } from "#kube/kinds.ts";
import type { AgentSpec } from "#ngrok/agent-port.ts";
import { anAgentEndpoint } from "#test/support/builders.ts";
import { nested, nestedText } from "#test/support/nested.ts";
import { KnownError } from "#wire/errors.ts";
import { entryOf, problemOf, sameEndpoint, secretNames, type Wanted, wantedOf } from "./plan.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const secrets: Readonly<Record<string, SecretObject>> = {
  pair: { metadata: { name: "pair" }, data: { "tls.crt": base64("CERT"), "tls.key": base64("KEY") } },
  cas: { metadata: { name: "cas" }, data: { "ca.crt": base64("CA") } },
};

function wanted(spec: Partial<AgentEndpoint["spec"]>, policy = ""): Wanted {
  return wantedOf(anAgentEndpoint({ spec }), { is: "text", text: policy }, (name) => secrets[name]);
}

function specOf(spec: Partial<AgentEndpoint["spec"]>, policy = ""): AgentSpec {
  const found = wanted(spec, policy);
  if (found.is === "problem") throw new Error(found.why);
  return found.spec;
}

test("everything that the spec says gets as far as the agent", () => {
  const all: Partial<AgentEndpoint["spec"]> = {
    url: "tls://db.example.com",
    bindings: ["internal"],
    upstream: { url: "tls://db:5432", protocol: "http2", proxyProtocolVersion: "2" },
    clientCertificateRefs: [{ name: "pair" }],
    tlsTermination: {
      serverCertificateRef: { name: "pair" },
      mutualTLS: { clientCAsRef: { name: "cas" }, mode: "request" },
    },
  };
  const pair = { cert: "CERT", key: "KEY" };
  expect(specOf(all, "{}")).toEqual({
    url: "tls://db.example.com",
    bindings: ["internal"],
    upstream: { url: "tls://db:5432", protocol: "http2", proxyProtocol: "2", certificates: [pair] },
    trafficPolicy: "{}",
    metadata: '{"owned-by":"ngrok-operator","description":"Created by the ngrok-operator"}',
    termination: { ...pair, clientCAs: "CA", required: false },
  });
  expect(secretNames(anAgentEndpoint({ spec: all }))).toEqual(["pair", "cas"]);
});

test.for<[AgentEndpoint["spec"]["metadata"], string]>([
  ["", '{"description":"shop"}'],
  [{ team: "a" }, '{"team":"a","description":"shop"}'],
  ['{"description":"own"}', '{"description":"own"}'],
  ["text of a user's own", "text of a user's own"],
])("the description goes into the metadata %j where that is an object", ([metadata, sent], { expect }) => {
  expect(specOf({ metadata: metadata ?? "", description: "shop" }).metadata).toBe(sent);
});

test("metadata that are nested deeper than a walk can go are sent as they are, for ngrok to judge", () => {
  for (const metadata of [nested(), nestedText()]) {
    const { spec, ...endpoint } = anAgentEndpoint({ spec: { description: "shop" } });
    const found = wantedOf({ ...endpoint, spec: { ...spec, metadata } }, { is: "text", text: "" }, () => undefined);
    expect(found).toMatchObject({ spec: { metadata: nestedText() } });
  }
});

test.for<{ what: string; spec: Partial<AgentEndpoint["spec"]>; reason: string; names: string }>([
  {
    what: "a Secret that is not there",
    spec: { clientCertificateRefs: [{ name: "none" }] },
    reason: "SecretNotFound",
    names: "none",
  },
  {
    what: "a Secret without what is looked for",
    spec: { tlsTermination: { serverCertificateRef: { name: "cas" } } },
    reason: "ConfigurationError",
    names: "tls.crt",
  },
  {
    what: "no Secret for TLS",
    spec: { tlsTermination: {} },
    reason: "ConfigurationError",
    names: "serverCertificateRef",
  },
])("$what is named as $reason", ({ spec, reason, names }, { expect }) => {
  expect(wanted(spec)).toMatchObject({ is: "problem", reason, why: expect.stringContaining(names) as string });
});

test("a policy that is missing is a problem of the policy", () => {
  const found = wantedOf(
    anAgentEndpoint(),
    { is: "missing", problem: "NgrokTrafficPolicy limits is missing" },
    () => undefined,
  );
  expect(found).toEqual({ is: "problem", reason: "TrafficPolicyError", why: "NgrokTrafficPolicy limits is missing" });
});

test("a policy that says the same in other words is the same endpoint, and whatever matters makes another", () => {
  const one = specOf({}, '{"a":1,"b":[1]}');
  expect(sameEndpoint(one, specOf({}, '{"b":[1],"a":1}'))).toBe(true);
  for (const [spec, policy] of [
    [{}, '{"a":2,"b":[1]}'],
    [{ url: "https://other.example.com" }, one.trafficPolicy],
    [{ upstream: { url: "http://other:80" } }, one.trafficPolicy],
    [{ description: "other" }, one.trafficPolicy],
    [{ clientCertificateRefs: [{ name: "pair" }] }, one.trafficPolicy],
  ] as const)
    expect(sameEndpoint(one, specOf(spec as Partial<AgentEndpoint["spec"]>, policy))).toBe(false);
});

test.for([
  ["ERR_NGROK_2201", "TrafficPolicyError"],
  ["Configuration", "ConfigurationError"],
  ["ERR_NGROK_334", "NgrokAPIError"],
  [undefined, "NgrokAPIError"],
] as const)("what fails with %s is told as %s, with the remedy", ([code, reason], { expect }) => {
  const error = new KnownError("transient", "it failed", { ...(code && { code }), hint: "do this" });
  expect(entryOf("https://old", problemOf(error))).toEqual({
    assignedURL: "https://old",
    reason,
    message: "it failed: do this",
  });
});

test("what is refused in words about the policy is told as such, also with a code that nobody knows", () => {
  const error = new KnownError("transient", "The traffic policy has too many rules", { code: "ERR_NGROK_2299" });
  expect(problemOf(error)).toMatchObject({ reason: "TrafficPolicyError", why: error.message });
});

test("a message is cut where the status would refuse it, and with it the whole entry", () => {
  const long = entryOf(undefined, { is: "problem", reason: "NgrokAPIError", why: "x".repeat(5000) });
  expect(long).toEqual({ reason: "NgrokAPIError", message: "x".repeat(1024) });
});
