// How rights become rules: each right once, as narrow as it was asked for, and nothing that is not asked for.
import { expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import { allow, type Rule } from "#api/rbac.ts";
import { ConfigMap, Ingress, Secret } from "#kube/kinds.ts";
import { ownRoles, policy, watchRole, type Subject } from "./rbac.ts";

const why = "a test asks for it";
const STATE = `{{ include "ngrok-operator.named" (list . "drain-state") | quote }}`;

const subjectWith = (rules: readonly Rule[]): Subject => ({
  rules,
  wide: "WIDE",
  names: {
    wide: ["wide", "wide-b"],
    cluster: ["cluster", "cluster-b"],
    watch: ["watch", "watch-b"],
    release: ["own", "own-b"],
  },
});

test("verbs of one kind come together, kinds with the same verbs too", () => {
  const rules = [
    allow(Domain, ["list"], { why }),
    allow(Domain, ["get", "list"], { why }),
    allow(IPPolicy, ["list", "get"], { why }),
    allow(Domain, ["patch"], { part: "status", why }),
  ];
  expect(policy(rules, ["watch"])).toEqual([
    {
      group: "ingress.k8s.ngrok.com",
      resources: ["domains", "ippolicies"],
      names: [],
      verbs: ["get", "list"],
      when: "",
    },
    { group: "ingress.k8s.ngrok.com", resources: ["domains/status"], names: [], verbs: ["patch"], when: "" },
  ]);
});

test("a create is never limited to a name, which the API server does not know yet", () => {
  expect(
    policy([allow(ConfigMap, ["create", "get"], { scope: "release", named: "drainState", why })], ["release"]),
  ).toEqual([
    { group: "", resources: ["configmaps"], names: [], verbs: ["create"], when: "" },
    { group: "", resources: ["configmaps"], names: [STATE], verbs: ["get"], when: "" },
  ]);
});

test("a right by name, or with a feature, is not said again beside the right that holds always", () => {
  const rules = [
    allow(Ingress, ["get", "list"], { why }),
    allow(Ingress, ["get", "update"], { when: "ingress", why }),
    allow(Ingress, ["get", "delete"], { names: ["one"], why }),
  ];
  expect(policy(rules, ["watch"])).toEqual([
    { group: "networking.k8s.io", resources: ["ingresses"], names: [], verbs: ["get", "list"], when: "" },
    {
      group: "networking.k8s.io",
      resources: ["ingresses"],
      names: [],
      verbs: ["update"],
      when: ".Values.ingress.enabled",
    },
    { group: "networking.k8s.io", resources: ["ingresses"], names: ["one"], verbs: ["delete"], when: "" },
  ]);
});

test("a right that holds always is not dropped for one that a feature gives", () => {
  const rules = [allow(Secret, ["get"], { when: "bindings", why }), allow(Secret, ["get"], { names: ["one"], why })];
  expect(policy(rules, ["watch"])).toHaveLength(2);
});

test("each scope has its place, and the cluster's rights hold in both modes", () => {
  const subject = subjectWith([
    allow(Domain, ["get"], { why }),
    allow(ConfigMap, ["get"], { scope: "release", why }),
    allow(IPPolicy, ["list"], { scope: "cluster", why }),
  ]);
  const places = [...watchRole(subject), ...ownRoles(subject)].map(({ name, when, cluster, rules }) => ({
    name,
    when,
    cluster,
    kinds: rules.flatMap(({ resources }) => resources),
  }));
  expect(places).toEqual([
    { name: "watch", when: "not (WIDE)", cluster: false, kinds: ["domains"] },
    { name: "wide", when: "WIDE", cluster: true, kinds: ["domains", "ippolicies"] },
    { name: "cluster", when: "and .Values.rbac.cluster (not (WIDE))", cluster: true, kinds: ["ippolicies"] },
    { name: "own", when: "", cluster: false, kinds: ["configmaps"] },
  ]);
});

test("what stands in for cluster rights is in no ClusterRole", () => {
  const subject = subjectWith([
    allow(Domain, ["get"], { why }),
    allow(IPPolicy, ["create"], { when: "noClusterRights", why }),
  ]);
  const kinds = [...watchRole(subject), ...ownRoles(subject)].map(({ name, rules }) => [
    name,
    rules.flatMap(({ resources }) => resources),
  ]);
  expect(kinds).toEqual([
    ["watch", ["domains", "ippolicies"]],
    ["wide", ["domains"]],
  ]);
});

test("no Role is made for a scope without rights", () => {
  const subject = subjectWith([allow(ConfigMap, ["get"], { scope: "release", why })]);
  expect([...watchRole(subject), ...ownRoles(subject)].map(({ name }) => name)).toEqual(["own"]);
});

test("a Role whose rules all have one condition has it too, so that none is there without rules", () => {
  const alone = [allow(ConfigMap, ["get"], { scope: "release", when: "bindings", why })];
  const beside = [...alone, allow(Secret, ["get"], { scope: "release", why })];
  const roles = (rules: readonly Rule[]): unknown =>
    ownRoles(subjectWith(rules)).map((role) => [role.when, ...role.rules.map(({ when }) => when)]);
  expect([roles(alone), roles(beside)]).toEqual([
    [[".Values.bindings.enabled", ""]],
    [["", ".Values.bindings.enabled", ""]],
  ]);
});
