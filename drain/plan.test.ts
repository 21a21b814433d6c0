// Whose each object is and what is planned for it, as tables.
import { describe, expect, test } from "vitest";
import { DRAIN_OWNER, FINALIZER, FINALIZER_CANONICAL, GATEWAY_CLASS_FINALIZER } from "#api/keys.ts";
import type { KubeObject, ObjectMeta } from "#kube/kind.ts";
import { rows } from "./kinds.ts";
import { find, plan } from "./plan.ts";
import type { Surroundings } from "./ours.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
const alone: Surroundings = { release, others: "none" };
const crowded: Surroundings = { release, others: "some" };
const row = (kind: string) => rows.find((one) => one.kind.kind === kind)!;

function held(metadata: Partial<ObjectMeta> = {}): KubeObject {
  return { metadata: { name: "a", namespace: "shop", uid: "u", finalizers: [FINALIZER], ...metadata } };
}
const stamped = (owner: string): Partial<ObjectMeta> => ({ annotations: { [DRAIN_OWNER]: owner } });
const labelled = (namespace: string, name: string, prefix = "k8s.ngrok.com"): Partial<ObjectMeta> => ({
  labels: { [`${prefix}/controller-namespace`]: namespace, [`${prefix}/controller-name`]: name },
});

/** Of the default name, and of a name of its own. */
const east = { owner: "ops2/east", gateway: true };
const west = { owner: "ops2/west", gateway: true, gatewayController: "example.com/edge" };
function aClass(controllerName: string, metadata: Partial<ObjectMeta>): KubeObject & { spec: object } {
  return { ...held({ finalizers: [GATEWAY_CLASS_FINALIZER], ...metadata }), spec: { controllerName } };
}

describe("whose an object is", () => {
  test.for([
    ["our stamp", stamped("ops/ngrok"), crowded, "stamp"],
    ["another install's stamp", stamped("ops/other"), alone, "stranger"],
    ["our labels without a stamp", labelled("ops", "ngrok-operator-manager"), crowded, "label"],
    ["our labels of the canonical prefix", labelled("ops", "ngrok-operator-manager", "ngrok.com"), crowded, "label"],
    ["another's of the canonical prefix", labelled("ops2", "other-manager", "ngrok.com"), alone, "stranger"],
    ["the agent's labels without a stamp", labelled("ops", "ngrok-operator-agent-manager"), crowded, "label"],
    ["another install's labels without a stamp", labelled("ops2", "ngrok-operator-manager"), alone, "stranger"],
    ["nothing, alone in the cluster", {}, alone, "scope"],
    ["nothing, beside another install", {}, crowded, "not"],
    ["nothing, others unknown", {}, { release, others: "unknown" } satisfies Surroundings, "not"],
  ] as const)("%s (F18)", ([, metadata, surroundings, expected], { expect }) => {
    expect(find(row("Domain"), [held(metadata)], surroundings)[0]?.whose).toBe(expected);
  });
  test("outside the watched namespace an unstamped object of our kinds is not ours; a user's is freed, since nobody else is there (F9)", () => {
    const surroundings = { release: { ...release, watchNamespace: "team" }, others: "none" } as const;
    expect(find(row("Domain"), [held()], surroundings)[0]).toMatchObject({ whose: "not", why: /outside of what/ });
    expect(find(row("Ingress"), [held()], surroundings)[0]?.whose).toBe("scope");
    expect(find(row("Ingress"), [held()], { ...surroundings, others: "some" })[0]?.whose).toBe("not");
  });
  test("a GatewayClass of another controller is not ours, though the finalizer is the same (F19)", () => {
    const other = {
      metadata: { name: "kong", finalizers: [GATEWAY_CLASS_FINALIZER] },
      spec: { controllerName: "konghq.com/kong" },
    };
    const ours = {
      metadata: { name: "ngrok", finalizers: [GATEWAY_CLASS_FINALIZER] },
      spec: { controllerName: "ngrok.com/gateway-controller" },
    };
    const found = find(row("GatewayClass"), [other, ours], alone);
    expect(found.map(({ object, whose }) => [object.metadata.name, whose])).toEqual([["ngrok", "scope"]]);
  });
  test.for([
    ["nobody", "none", [], "stamp"],
    ["an install without Gateway API", "some", [{ owner: "ops2/other", gateway: false }], "stamp"],
    ["an install with Gateway API", "some", [{ owner: "ops2/other", gateway: true }], "shared"],
    ["nobody knows whom", "unknown", [], "shared"],
  ] as const)(
    "beside %s a GatewayClass that we stamped is left to the last (F19)",
    ([, others, installs, expected], { expect }) => {
      const spec = { controllerName: "ngrok.com/gateway-controller" };
      const annotations = { [DRAIN_OWNER]: "ops/ngrok" };
      const ours = { metadata: { name: "ngrok", finalizers: [GATEWAY_CLASS_FINALIZER], annotations }, spec };
      expect(find(row("GatewayClass"), [ours], { release, others, installs })[0]?.whose).toBe(expected);
    },
  );
  test.for([
    ["by us", "ops/ngrok", "none", [], "stamp"],
    ["by us, beside one that serves classes of the default name", "ops/ngrok", "some", [east], "stamp"],
    ["by us, beside one that serves it too", "ops/ngrok", "some", [west], "shared"],
    ["by another that is gone", "gone/other", "none", [], "scope"],
    ["by another that serves it", "ops2/west", "some", [west], "shared"],
    ["by another, and nobody can say whether that is there", "ops2/west", "unknown", [], "shared"],
  ] as const)(
    "a GatewayClass stamped %s is found whatever its controller is called (F19, W12)",
    ([, owner, others, installs, expected], { expect }) => {
      const ours = aClass("example.com/edge", stamped(owner));
      expect(find(row("GatewayClass"), [ours], { release, others, installs })[0]?.whose).toBe(expected);
    },
  );
  test("a GatewayClass of the default name is not left to an install that serves another name (W12)", () => {
    const ours = aClass("ngrok.com/gateway-controller", stamped("ops/ngrok"));
    const [found] = find(row("GatewayClass"), [ours], { release, others: "some", installs: [west] });
    expect(found?.whose).toBe("stamp");
  });
  test("who else serves a GatewayClass is named, and nobody beside", () => {
    const ours = aClass("example.com/edge", stamped("ops/ngrok"));
    const [found] = find(row("GatewayClass"), [ours], { release, others: "some", installs: [east, west] });
    expect(found?.why).toMatch(/^ops2\/west may serve/);
  });
  test("an object without a finalizer of ours is not found at all", () => {
    expect(find(row("Domain"), [held({ finalizers: ["acme.io/hold"] }), held({ finalizers: [] })], alone)).toEqual([]);
  });
  test("the canonical finalizer counts like the legacy one", () => {
    expect(
      find(row("Domain"), [held({ finalizers: ["acme.io/hold", FINALIZER_CANONICAL] })], alone)[0]?.foreign,
    ).toEqual(["acme.io/hold"]);
  });
});

describe("the plan", () => {
  const planned = (kind: string, policy: "Retain" | "Delete", metadata: Partial<ObjectMeta> = {}) => {
    const [found] = find(row(kind), [held(metadata)], alone);
    const { act, stamp } = plan(found!, policy);
    return `${act} ${stamp}`;
  };
  test.for(rows.filter(({ whose }) => whose === "ours").map(({ kind }) => kind.kind))(
    "%s: freed under Retain, deleted under Delete, stamp stays",
    (kind, { expect }) => {
      expect(planned(kind, "Retain")).toBe("free stays");
      expect(planned(kind, "Delete")).toBe("delete stays");
    },
  );
  test("Retain frees an object that is already being deleted, and unmakes nothing", () => {
    expect(planned("Domain", "Retain", { deletionTimestamp: "2026-01-01T00:00:00Z" })).toBe("free stays");
  });
  test("a user's Ingress is only freed, whatever the policy, and its stamp goes", () => {
    expect([planned("Ingress", "Retain"), planned("Ingress", "Delete")]).toEqual(["free off", "free off"]);
  });
  test("a Service gives its reserved address back under Delete alone", () => {
    expect([planned("Service", "Retain"), planned("Service", "Delete")]).toEqual(["free off", "undo off"]);
  });
  test("what is another install's is left (W3)", () => {
    expect(planned("Domain", "Delete", stamped("ops/other"))).toBe("leave stays");
  });
});

test("endpoints go before the domains that they use, Services after the endpoints", () => {
  const wave = (kind: string) => row(kind).wave;
  expect(wave("CloudEndpoint")).toBeLessThan(wave("Domain"));
  expect(wave("AgentEndpoint")).toBeLessThan(wave("Domain"));
  expect(wave("Service")).toBeGreaterThan(wave("AgentEndpoint"));
});
