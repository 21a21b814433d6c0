// A right counts as granted when a Role and its binding came to be in the scene, by either Helm, and as used when the
// account asked for what it allows; the names that a scene drew are not in it, so that scenes can be put together.
import { expect, test } from "vitest";
import type { AuditEvent } from "./audit.ts";
import { rightsSeen } from "./rights-seen.ts";

const OK = { responseStatus: { code: 200 }, requestReceivedTimestamp: "", stageTimestamp: "" };
const rbac = (resource: string, namespace?: string) => ({
  apiGroup: "rbac.authorization.k8s.io",
  resource,
  ...(namespace && { namespace }),
});

function made(resource: string, requestObject: object, verb = "create", namespace?: string): AuditEvent {
  return { verb, user: { username: "admin" }, objectRef: rbac(resource, namespace), requestObject, ...OK };
}

const role = (name: string, verbs: string[], resource = "pods") => ({
  kind: "ClusterRole",
  metadata: { name },
  rules: [{ apiGroups: [""], resources: [resource], verbs }],
});
const binding = (name: string, namespace: string, account = name) => ({
  kind: "ClusterRoleBinding",
  metadata: { name },
  roleRef: { kind: "ClusterRole", name },
  subjects: [{ kind: "ServiceAccount", name: account, namespace }],
});
const asks = (verb: string, account: string): AuditEvent => ({
  verb,
  user: { username: `system:serviceaccount:${account.replace("/", ":")}` },
  objectRef: { resource: "pods", namespace: "one-ab12" },
  ...OK,
});

test("what was granted and what was used, without the scene's own names, by a Helm that creates or applies", () => {
  const events = [
    made("clusterroles", role("edge", ["get", "list"])),
    made("clusterrolebindings", binding("edge", "ngrok-ab12"), "patch"),
    asks("get", "ngrok-ab12/edge"),
    asks("list", "ngrok-ffff/edge"),
  ];
  expect(rightsSeen(events, "ngrok-ab12", "ab12")).toEqual({
    granted: [
      "ngrok/edge: get pods everywhere (ClusterRole edge)",
      "ngrok/edge: list pods everywhere (ClusterRole edge)",
    ],
    used: ["ngrok/edge: get pods everywhere (ClusterRole edge)"],
  });
});

test("another scene's release, a role that is only unbound, and the rehearsal's account count for nothing", () => {
  const events = [
    made("clusterroles", role("edge", ["get"])),
    made("clusterrolebindings", binding("edge", "ngrok-ffff")),
    made("clusterroles", role("alone", ["get"])),
    made("clusterroles", role("edge-rehearsal", ["get"])),
    made("clusterrolebindings", binding("edge-rehearsal", "ngrok-ab12")),
    made("rolebindings", { ...binding("lost", "ngrok-ab12"), kind: "RoleBinding" }, "create", "ngrok-ab12"),
  ];
  expect(rightsSeen(events, "ngrok-ab12", "ab12")).toEqual({ granted: [], used: [] });
});
