// UninstallReady from facts: what is in the way, in which words, and that nothing else changes them.
import { describe, expect, test } from "vitest";
import { ADOPTED, DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { kubernetesOperatorReasons } from "#api/kubernetes-operator.ts";
import type { KubeObject } from "#kube/kind.ts";
import { rows } from "./kinds.ts";
import { tallyOf, type UninstallFacts, uninstallReadiness } from "./readiness.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
const rowOf = (kind: string) => rows.find((one) => one.kind.kind === kind)!;
const yes = { is: "yes" } as const;
const underDelete = { deleted: {}, domainsKept: 0 };
const nothing = { objects: 0, calls: 0, held: undefined, heldCount: 0, underDelete };
const held = { object: "agentendpoint dev/pay-443", finalizers: ["acme.io/hold"] };

function facts(more: Partial<UninstallFacts> = {}): UninstallFacts {
  const settings = { policy: "Delete", crdsGo: false, hook: true, helmSeconds: 300, callsPerMinute: 120 } as const;
  return { release, ...settings, registered: true, tally: nothing, key: yes, rights: yes, room: yes, ...more };
}

function said(more: Partial<UninstallFacts> = {}): string {
  const { status, reason, message } = uninstallReadiness(facts(more));
  return `${status} ${reason}: ${message}`;
}

describe("the condition", () => {
  const revoked = { is: "no", why: "ERR_NGROK_200: no such key" } as const;
  const silent = { is: "unknown", why: "no answer" } as const;
  const forbidden = { is: "no", why: "the operator's ServiceAccount may not patch ingresses" } as const;
  const full = { is: "no", why: "ResourceQuota a has less pods left; raise it" } as const;
  const many = { ...nothing, objects: 2_000, calls: 2_000 };
  const two = { ...nothing, objects: 2, held, heldCount: 2 };
  test.for<[string, Partial<UninstallFacts>, string]>([
    ["nothing", {}, "True NothingInTheWay: helm uninstall under Delete would come to its end in one run"],
    ["no hook", { hook: false }, "False HookOff: cleanupHook.enabled=false: helm uninstall would free nothing"],
    ["a right", { rights: forbidden }, "False RightMissing: the operator's ServiceAccount may not patch ingresses"],
    [
      "a quota",
      { room: full, key: revoked },
      "False NoRoomForHook: no pod of a hook could be made in namespace ops: ResourceQuota a has less pods left; raise it",
    ],
    ["room that nobody knows", { room: silent }, "Unknown RoomUnknown: no answer"],
    ["rights that nobody knows", { rights: silent }, "Unknown RightsUnknown: no answer"],
    [
      "the key",
      { key: revoked },
      "False KeyRefused: policy Delete needs ngrok's API: ERR_NGROK_200: no such key; put a valid key into the credentials Secret under API_KEY, then kubectl -n ops rollout restart deployment/ngrok-operator-manager; or set drainPolicy=Retain",
    ],
    ["a key that nobody knows", { key: silent }, "Unknown KeyUnknown: no answer"],
    ["the key under Retain", { key: revoked, policy: "Retain" }, "True NothingInTheWay"],
    [
      "a foreign finalizer",
      { tally: two },
      "False ForeignFinalizer: agentendpoint dev/pay-443 is held by finalizer acme.io/hold of another controller (and 1 more), and would outlive its deletion; ask its owner to let go, or set drainPolicy=Retain",
    ],
    ["the same under Retain", { tally: two, policy: "Retain" }, "True NothingInTheWay"],
    [
      "the same under Retain where the CRDs go",
      { tally: two, policy: "Retain", crdsGo: true },
      "False ForeignFinalizer: agentendpoint dev/pay-443 is held by finalizer acme.io/hold",
    ],
    [
      "time",
      { tally: many },
      "False LongerThanHelm: a drain would take longer than Helm's timeout of 300s; set cleanupHook.timeout=1200 and uninstall with --timeout 1200s, or run helm uninstall again",
    ],
    ["time that Helm has", { tally: many, helmSeconds: 1_200 }, "True NothingInTheWay"],
    ["time without a limit", { tally: many, callsPerMinute: undefined }, "True NothingInTheWay"],
    ["time under Retain", { tally: many, policy: "Retain" }, "True NothingInTheWay"],
  ])("in the way: %s", ([, more, words]) => {
    expect(said(more)).toContain(words);
  });

  test("a plain no is told before what nobody knows", () => {
    expect(said({ rights: silent, key: revoked })).toContain("False KeyRefused");
  });

  test("every reason that it may carry has a case of this file", () => {
    const cases = [
      facts(),
      facts({ hook: false }),
      facts({ rights: forbidden }),
      facts({ room: full }),
      facts({ key: revoked }),
      facts({ tally: two }),
      facts({ tally: many }),
      facts({ rights: silent }),
      facts({ room: silent }),
      facts({ key: silent }),
    ];
    expect(cases.map((one) => uninstallReadiness(one).reason)).toEqual(kubernetesOperatorReasons.UninstallReady);
  });

  test("says the same for three objects and for three hundred: a change of numbers is no news", () => {
    expect(said({ tally: { ...nothing, objects: 3, calls: 3 } })).toBe(
      said({ tally: { ...nothing, objects: 300, calls: 300 } }),
    );
  });
});

describe("the tally", () => {
  const AT_NGROK = { spec: { domain: "a.example.com" }, status: { id: "rd_1" } };
  function anObject(name: string, finalizers: string[], owner = "ops/ngrok"): KubeObject {
    const annotations = { [DRAIN_OWNER]: owner };
    return { metadata: { name, namespace: "dev", uid: name, finalizers, annotations }, ...AT_NGROK };
  }
  const { signal } = new AbortController();
  test("counts what is ours, calls for what stands at ngrok, and names the first held object", async () => {
    const domains = [
      anObject("z", [FINALIZER, "acme.io/hold"]),
      anObject("b", ["acme.io/first", FINALIZER]),
      anObject("a", [FINALIZER]),
      anObject("stranger", [FINALIZER, "acme.io/hold"], "other/ngrok"),
      anObject("bare", ["acme.io/hold"]),
    ];
    const kinds = [
      { row: rowOf("Domain"), objects: domains },
      { row: rowOf("AgentEndpoint"), objects: [anObject("tunnel", [FINALIZER])] },
      { row: rowOf("Service"), objects: [anObject("lb", [FINALIZER, "service.kubernetes.io/load-balancer-cleanup"])] },
    ];
    expect(await tallyOf(kinds, release, signal)).toEqual({
      objects: 5,
      calls: 3,
      held: { object: "domain dev/b", finalizers: ["acme.io/first"] },
      heldCount: 2,
      underDelete: { deleted: { Domain: 3, AgentEndpoint: 1 }, domainsKept: 0 },
    });
  });

  test("counts what a Delete would take by kind, and the Domains that stay at ngrok all the same", async () => {
    const kept = { ...anObject("kept", [FINALIZER]), spec: { ...AT_NGROK.spec, reclaimPolicy: "Retain" } };
    const { metadata } = anObject("before", [FINALIZER]);
    const before = { metadata: { ...metadata, annotations: { ...metadata.annotations, [ADOPTED]: "true" } } };
    const kinds = [
      { row: rowOf("Domain"), objects: [kept, before, anObject("a", [FINALIZER])] },
      { row: rowOf("CloudEndpoint"), objects: [kept] },
      { row: rowOf("Ingress"), objects: [anObject("web", [FINALIZER])] },
    ];
    expect((await tallyOf(kinds, release, signal)).underDelete).toEqual({
      deleted: { Domain: 3, CloudEndpoint: 1 },
      domainsKept: 2,
    });
  });
});
