// The bare client is to send what the operator sent, for another object: nothing more, nothing less, in the same order.
import { expect, test } from "vitest";
import type { AuditEvent } from "#test/support/audit.ts";
import { ingress } from "#test/support/translating.ts";
import { chainsOf } from "./replay.ts";

const at = "/apis/ingress.k8s.ngrok.com/v1alpha1/namespaces/team-1/domains";
const shop = ingress("shop-12", { "shop-12.example.com": [{ to: "shop-12" }] }, { namespace: "team-1" });

function anEvent(verb: string, requestURI: string, requestObject: unknown, subresource?: string): AuditEvent {
  const objectRef = { resource: "domains", ...(subresource === undefined ? {} : { subresource }) };
  return {
    verb,
    requestURI,
    requestObject,
    objectRef,
    user: { username: "bench" },
    requestReceivedTimestamp: "",
    stageTimestamp: "",
  };
}

const events = [
  anEvent("create", at, { metadata: { name: "shop-12-example-com", namespace: "team-1" } }),
  anEvent("create", at, { metadata: { name: "shop-13-example-com", namespace: "team-1" } }),
  anEvent("patch", `${at}/shop-12-example-com`, [
    { op: "test", path: "/metadata/uid", value: "1" },
    { op: "add", path: "/metadata/finalizers", value: ["ours"] },
  ]),
  anEvent(
    "patch",
    `${at}/shop-12-example-com/status?fieldManager=ngrok`,
    { metadata: { name: "shop-12-example-com", namespace: "team-1", uid: "1" }, status: { id: "rd_1" } },
    "status",
  ),
  anEvent(
    "patch",
    `${at}/shop-12-example-com/status?fieldManager=ngrok`,
    { metadata: { name: "x" }, status: {} },
    "status",
  ),
];
const remote = { endpoints: [], domains: [{ domain: "shop-12.example.com", id: "rd_1", metadata: "{}" }] };

test("a chain is the creation, then what was written for this one, and at ngrok once", () => {
  const [chain = []] = chainsOf([shop], events, remote, "raw8-");
  expect(chain.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "POST /apis/networking.k8s.io/v1/namespaces/raw8-team-1/ingresses",
    "POST /apis/ingress.k8s.ngrok.com/v1alpha1/namespaces/raw8-team-1/domains",
    "PATCH /apis/ingress.k8s.ngrok.com/v1alpha1/namespaces/raw8-team-1/domains/shop-12-example-com",
    "POST /reserved_domains",
    "PATCH /apis/ingress.k8s.ngrok.com/v1alpha1/namespaces/raw8-team-1/domains/shop-12-example-com/status?fieldManager=ngrok",
    "PATCH /apis/ingress.k8s.ngrok.com/v1alpha1/namespaces/raw8-team-1/domains/shop-12-example-com/status?fieldManager=ngrok",
  ]);
  expect(chain[3]?.body).toBe('{"domain":"shop-12.example.com","metadata":"{}"}');
});

test("what names the one object that it was sent for is left out", () => {
  const [chain = []] = chainsOf([shop], events, remote, "raw8-");
  expect(chain[2]).toMatchObject({ contentType: "application/json-patch+json" });
  expect(chain[2]?.body).toBe('[{"op":"add","path":"/metadata/finalizers","value":["ours"]}]');
  expect(chain[4]).toMatchObject({ contentType: "application/apply-patch+yaml" });
  expect(chain[4]?.body).toBe(
    '{"status":{"id":"rd_1"},"metadata":{"name":"shop-12-example-com","namespace":"raw8-team-1"}}',
  );
});

test("what was answered late is sent in its place all the same", () => {
  const timed = events.map((event, at) => ({ ...event, requestReceivedTimestamp: `2026-01-01T00:00:0${at}.000000Z` }));
  const first = (order: readonly AuditEvent[]): string | undefined =>
    chainsOf([shop], order, remote, "raw8-")[0]?.[1]?.method;
  expect(first(timed)).toBe("POST");
  expect(first(timed.toReversed())).toBe("POST");
});

test("a write that no new Ingress needs is told, not sent", () => {
  expect(() => chainsOf([shop], [anEvent("delete", `${at}/shop-12-example-com`, undefined)], remote, "raw8-")).toThrow(
    `delete ${at}/shop-12-example-com is not a write that serves a new Ingress`,
  );
});
