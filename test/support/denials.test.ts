// Which refusals count: those of a program that still had its rights.
import { expect, test } from "vitest";
import type { AuditEvent } from "./audit.ts";
import { denials } from "./denials.ts";

const FULLNAME = "edge-ngrok-operator";

function event(verb: string, resource: string, name: string, by: string, code = 200): AuditEvent {
  const decision = code === 403 ? "forbid" : "allow";
  return {
    verb,
    user: { username: by },
    objectRef: { resource, namespace: "ops", name },
    responseStatus: { code },
    annotations: { "authorization.k8s.io/decision": decision },
    requestReceivedTimestamp: "2026-01-01T00:00:00Z",
    stageTimestamp: "2026-01-01T00:00:00Z",
  };
}

const account = (part = ""): string => `system:serviceaccount:ops:${FULLNAME}${part}`;
const refused = (part = ""): AuditEvent => event("get", "secrets", "x", account(part), 403);
const helm = (verb: string, resource: string, suffix: string): AuditEvent =>
  event(verb, resource, `${FULLNAME}${suffix}`, "admin");

test("a refusal counts, of the accounts of the release alone", () => {
  const stranger = event("get", "secrets", "x", "system:serviceaccount:ops:default", 403);
  const allowed = event("get", "configmaps", "x", account());
  expect(denials([refused(), stranger, allowed, refused("-drain")], FULLNAME)).toEqual([refused(), refused("-drain")]);
});

test("who lost its rights is refused and is not to blame, until they are back", () => {
  const events = [
    helm("delete", "rolebindings", "-manager-release-rolebinding"),
    refused(),
    refused("-cleanup"),
    helm("create", "rolebindings", "-manager-release-rolebinding"),
    refused(),
  ];
  expect(denials(events, FULLNAME)).toEqual([refused("-cleanup"), refused()]);
});

test("a rehearsal that goes takes nobody's rights but its own", () => {
  const events = [helm("delete", "rolebindings", "-rehearsal"), refused("-rehearsal"), refused()];
  expect(denials(events, FULLNAME)).toEqual([refused()]);
});

test("a role that is left with fewer rules has lost some, until they are back", () => {
  const role = (verb: string, rules: number): AuditEvent => ({
    ...helm(verb, "clusterroles", "-manager-role"),
    requestObject: { rules: Array.from({ length: rules }, () => ({})) },
  });
  const events = [
    role("create", 1),
    role("patch", 9),
    refused(),
    role("patch", 1),
    refused("-agent"),
    role("patch", 9),
  ];
  expect(denials([...events, refused("-agent")], FULLNAME)).toEqual([refused(), refused("-agent")]);
});

test("in a namespace that goes, everything goes", () => {
  expect(denials([event("delete", "namespaces", "ops", "admin"), refused()], FULLNAME)).toEqual([]);
});

test("what a webhook refuses was allowed by RBAC", () => {
  const answer = { ...refused(), annotations: { "authorization.k8s.io/decision": "allow" } };
  expect(denials([answer], FULLNAME)).toEqual([]);
});
