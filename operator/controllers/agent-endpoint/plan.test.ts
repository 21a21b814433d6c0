// What several agents say of one endpoint, and what its users read of that.
import { describe, expect, test } from "vitest";
import type { AgentEndpoint, AgentReplica } from "#api/agent-endpoint.ts";
import { holds } from "#api/conditions.ts";
import type { Condition } from "#api/define-kind.ts";
import { anAgentEndpoint } from "#test/support/builders.ts";
import type { DomainPart } from "../../endpoint/domain.ts";
import type { PolicySource } from "../../endpoint/traffic-policy.ts";
import { createdEvents, failureEvents, type Look, needOf, saysMoreSoon, showEndpoint } from "./plan.ts";

const URL = "https://shop.example.com";
const domain: DomainPart = {
  finding: holds("DomainReady", "DomainReady", "reserved"),
  ref: { name: "shop-example-com", namespace: "default" },
  untried: false,
};

/** Of generation 2, the latest, unless said otherwise. */
function entry(pod: string, more: Partial<AgentReplica> = {}): AgentReplica {
  return { pod, observedGeneration: 2, reason: "EndpointCreated", assignedURL: URL, ...more };
}

function refused(pod: string, message = "ngrok says no", reason: AgentReplica["reason"] = "NgrokAPIError") {
  const { assignedURL: _, ...rest } = entry(pod, { reason, message });
  return rest;
}

const older = (one: AgentReplica): AgentReplica => ({ ...one, observedGeneration: 1 });
const shownBefore: Condition = {
  type: "Ready",
  status: "True",
  reason: "EndpointActive",
  message: "",
  observedGeneration: 1,
  lastTransitionTime: "2026-01-01T00:00:00Z",
};

function endpoint(replicas: AgentReplica[], status: AgentEndpoint["status"] = {}): AgentEndpoint {
  return anAgentEndpoint({ metadata: { generation: 2 }, status: { ...status, replicas } });
}

function look(pods: Record<string, boolean> | undefined, more: Partial<Look> = {}): Look {
  const agents = pods === undefined ? undefined : new Map(Object.entries(pods));
  return { domain, source: { is: "none" }, problem: undefined, agents, where: "kubectl get pods", ...more };
}

/** `True EndpointCreated`, with the message where one is asked for. */
function said(shown: ReturnType<typeof showEndpoint>, type: string, part: "word" | "message" = "word"): string {
  const found = shown?.findings.find((one) => one.type === type);
  if (found === undefined) return "absent";
  return part === "message" ? found.message : `${found.status} ${found.reason}`;
}

describe("several agents", () => {
  const all = look({ a: true, b: true, c: true });

  test("all serve it: Ready", () => {
    const shown = showEndpoint(endpoint([entry("a"), entry("b"), entry("c")]), all);
    expect(said(shown, "EndpointCreated")).toBe("True EndpointCreated");
    expect(said(shown, "Ready")).toBe("True EndpointActive");
    expect(said(shown, "Ready", "message")).toBe("AgentEndpoint is active and ready");
    expect(shown?.fields).toEqual({ assignedURL: URL, trafficPolicy: "none", domainRef: domain.ref });
  });

  test("one fails while the others serve: Ready, with a message that names it", () => {
    const shown = showEndpoint(endpoint([entry("c"), refused("b"), entry("a")]), all);
    expect(said(shown, "Ready")).toBe("True EndpointActive");
    expect(said(shown, "Ready", "message")).toBe(
      "AgentEndpoint is active and ready, but not at every agent: b: ngrok says no",
    );
  });

  test("all fail: the reason, and what they say once", () => {
    const shown = showEndpoint(endpoint([refused("a"), refused("b")]), all);
    expect(said(shown, "Ready")).toBe("False NgrokAPIError");
    expect(said(shown, "EndpointCreated", "message")).toBe("Failed to create endpoint: ngrok says no");
  });

  test("all fail, each in its own way: each with its pod, and what the user can mend decides", () => {
    const missing = refused("b", "Secret tls is missing", "SecretNotFound");
    const shown = showEndpoint(endpoint([refused("a"), missing]), all);
    expect(said(shown, "EndpointCreated")).toBe("False ConfigurationError");
    expect(said(shown, "EndpointCreated", "message")).toBe(
      "Failed to create endpoint: a: ngrok says no; b: Secret tls is missing",
    );
  });

  test("a hundred that fail are not all named", () => {
    const many = Array.from({ length: 100 }, (_, n) => refused(`p${n}`, `no ${n}`));
    const message = said(showEndpoint(endpoint(many), look(undefined)), "EndpointCreated", "message");
    expect(message).toMatch(/^.*p0: no 0; p1: no 1; p10: no 10; and 97 more$/);
  });

  test("what the order of the entries is makes no difference", () => {
    const three = [entry("a"), refused("b"), refused("c", "other")];
    expect(showEndpoint(endpoint(three), all)).toEqual(showEndpoint(endpoint(three.toReversed()), all));
  });
});

describe("after a change of the spec", () => {
  const both = look({ a: true, b: true });
  const conditions = [shownBefore];

  test("nothing new is said while the agents are still at it: no flapping (W25)", () => {
    expect(showEndpoint(endpoint([older(entry("a")), older(entry("b"))], { conditions }), both)).toBeUndefined();
  });

  test("nor when the first to have tried failed", () => {
    expect(showEndpoint(endpoint([refused("a"), older(entry("b"))], { conditions }), both)).toBeUndefined();
  });

  test("the first that serves it makes it Ready", () => {
    const shown = showEndpoint(endpoint([entry("a"), older(entry("b"))], { conditions }), both);
    expect(said(shown, "Ready")).toBe("True EndpointActive");
  });

  test("all that have failed, and still serve the earlier one, say so, and where it is served (W25)", () => {
    const still = { ...refused("a"), assignedURL: "https://old.example.com" };
    const shown = showEndpoint(endpoint([still, { ...still, pod: "b" }], { conditions }), both);
    expect(said(shown, "Ready")).toBe("False NgrokAPIError");
    expect(shown?.fields.assignedURL).toBe("https://old.example.com");
  });

  test("what an agent that is gone had served keeps nothing up", () => {
    const shown = showEndpoint(endpoint([older(entry("gone"))], { conditions }), both);
    expect(said(shown, "Ready")).toBe("False Pending");
    expect(shown?.fields.assignedURL).toBeUndefined();
  });
});

describe("without an agent at work", () => {
  test.for([
    ["none is running", {}, "No agent is running, so nobody serves the endpoint: kubectl get pods shows why"],
    ["none is ready", { a: false }, "No agent is ready, so nobody serves the endpoint: kubectl get pods shows why"],
    ["none has come to it yet", { a: true }, "Waiting for endpoint creation"],
    ["nobody knows", undefined, "Waiting for endpoint creation"],
  ] as const)("%s: Pending, with the remedy", ([, pods, message]) => {
    const shown = showEndpoint(endpoint([]), look(pods));
    expect(said(shown, "Ready")).toBe("False Pending");
    expect(said(shown, "Ready", "message")).toBe(message);
  });

  test("an entry of an agent that is not ready does not count: it crashed, or has no session", () => {
    expect(said(showEndpoint(endpoint([entry("a")]), look({ a: false })), "Ready")).toBe("False Pending");
  });

  test("one that is not ready says why, where nobody else has spoken: it has no session", () => {
    const down = refused("a", "ERR_NGROK_107: give the operator a valid authtoken");
    const shown = showEndpoint(
      endpoint([{ ...down, assignedURL: URL }], { conditions: [shownBefore] }),
      look({ a: false }),
    );
    expect(said(shown, "Ready")).toBe("False NgrokAPIError");
    expect(said(shown, "EndpointCreated", "message")).toBe(
      `Failed to create endpoint: ${down.message}; no agent that says so is ready: kubectl get pods shows more`,
    );
    expect(shown?.fields.assignedURL).toBeUndefined();
    expect(failureEvents(endpoint([down]), new Map([["a", false]]))).toMatchObject([
      { reason: "UpdateError", note: down.message },
    ]);
  });

  test("what it says is nothing beside one that serves, of an earlier spec, or of a pod that is gone", () => {
    const down = refused("a", "no session");
    expect(said(showEndpoint(endpoint([down, entry("b")]), look({ a: false, b: true })), "Ready")).toBe(
      "True EndpointActive",
    );
    expect(said(showEndpoint(endpoint([older(down)]), look({ a: false })), "Ready")).toBe("False Pending");
    expect(said(showEndpoint(endpoint([down]), look({ b: false })), "Ready")).toBe("False Pending");
    expect(failureEvents(endpoint([older(down)]), new Map([["a", false]]))).toEqual([]);
  });

  test("where Pods may not be read every entry counts", () => {
    expect(said(showEndpoint(endpoint([entry("a")]), look(undefined)), "Ready")).toBe("True EndpointActive");
  });
});

describe("the traffic policy", () => {
  const named: PolicySource = { is: "named", name: "limits" };
  const one = { a: true };

  test("is applied once an agent has opened the endpoint with it", () => {
    const wanted = look(one, { source: named });
    expect(said(showEndpoint(endpoint([]), wanted), "TrafficPolicyApplied")).toBe("False Pending");
    const shown = showEndpoint(endpoint([entry("a")]), wanted);
    expect(said(shown, "TrafficPolicyApplied")).toBe("True TrafficPolicyApplied");
    expect(shown?.fields.trafficPolicy).toBe("limits");
  });

  test("that is missing is said, whatever the agents serve", () => {
    const shown = showEndpoint(endpoint([entry("a")]), look(one, { source: named, problem: "create it" }));
    expect(said(shown, "TrafficPolicyApplied")).toBe("False TrafficPolicyError");
    expect(said(shown, "EndpointCreated")).toBe("True EndpointCreated");
    expect(said(shown, "Ready", "message")).toBe("create it");
  });

  test("that ngrok refuses is said with ngrok's words", () => {
    const shown = showEndpoint(
      endpoint([refused("a", "ERR_NGROK_2201: no such action", "TrafficPolicyError")]),
      look(one, { source: { is: "inline", policy: {} } }),
    );
    expect(said(shown, "TrafficPolicyApplied", "message")).toBe("ERR_NGROK_2201: no such action");
    expect(said(shown, "Ready")).toBe("False TrafficPolicyError");
    expect(shown?.fields.trafficPolicy).toBe("inline");
  });

  test("is not blamed for what has another reason", () => {
    const shown = showEndpoint(endpoint([refused("a")]), look(one, { source: named }));
    expect(said(shown, "TrafficPolicyApplied")).toBe("False Pending");
    expect(said(shown, "Ready", "message")).toBe("Failed to create endpoint: ngrok says no");
    const lonely = showEndpoint(endpoint([]), look({}, { source: named }));
    expect(said(lonely, "Ready", "message")).toMatch(/^No agent is running/);
  });

  test("that is in force stays so where agents fail and serve the earlier spec still", () => {
    const applied = { ...shownBefore, type: "TrafficPolicyApplied", reason: "TrafficPolicyApplied" };
    const after = (entry: AgentReplica) =>
      showEndpoint(endpoint([entry], { conditions: [applied] }), look(one, { source: named }));
    const still = { ...refused("a"), assignedURL: URL };
    expect(said(after(still), "TrafficPolicyApplied")).toBe("True TrafficPolicyApplied");
    expect(said(after(still), "Ready")).toBe("False NgrokAPIError");
    expect(said(after(refused("a")), "TrafficPolicyApplied")).toBe("False Pending");
  });

  test("that nobody wants has no condition", () => {
    expect(said(showEndpoint(endpoint([entry("a")]), look(one)), "TrafficPolicyApplied")).toBe("absent");
  });
});

test("where ngrok gives each agent an address of its own, the one that is shown stays while it serves", () => {
  const replicas = ["x", "y"].map((host) => entry(host, { assignedURL: `https://${host}.ngrok.app` }));
  const shown = (pods: Record<string, boolean>) =>
    showEndpoint(endpoint(replicas, { assignedURL: "https://y.ngrok.app" }), look(pods))?.fields.assignedURL;
  expect(shown({ x: true, y: true })).toBe("https://y.ngrok.app");
  expect(shown({ x: true })).toBe("https://x.ngrok.app");
});

describe("which URLs need a Domain", () => {
  test.for([
    ["https://shop.example.com", [], { is: "domain", host: "shop.example.com" }],
    ["tls://db.example.com:9000", [], { is: "domain", host: "db.example.com" }],
    ["shop.example.com", [], { is: "domain", host: "shop.example.com" }],
    ["", [], { is: "none" }],
    ["https://", [], { is: "none" }],
    ["http://", [], { is: "none" }],
    ["tcp://", [], { is: "none" }],
    ["tls://", [], { is: "none" }],
    ["tcp://1.tcp.ngrok.io:12345", [], { is: "none" }],
    ["https://shop.internal", [], { is: "none" }],
    ["https://shop.example.com", ["internal"], { is: "none" }],
    ["http://billing.shop:80", ["kubernetes"], { is: "none" }],
    ["ftp://shop.example.com", [], { is: "invalid" }],
  ] as const)("%s %j", ([url, bindings, need]) => {
    expect(needOf({ url, bindings: [...bindings] })).toMatchObject(need);
  });
});

test("what agents could not do is told under the words that there are for it", () => {
  const replicas = [
    refused("a", "Secret tls is missing", "SecretNotFound"),
    refused("b", "upstream is no URL", "ConfigurationError"),
    refused("c"),
    entry("d"),
  ];
  expect(failureEvents(endpoint(replicas), undefined)).toMatchObject([
    { type: "Warning", reason: "SecretNotFound", note: "Secret tls is missing" },
    { type: "Warning", reason: "ConfigError", note: "upstream is no URL" },
    { type: "Warning", reason: "UpdateError", note: "ngrok says no" },
  ]);
});

test("that an endpoint is served is told when it turns so, once, and not at each look", () => {
  const told = (message: string, status: Condition["status"]) => {
    const at = endpoint([entry("a")], { conditions: [{ ...shownBefore, type: "EndpointCreated", status, message }] });
    return createdEvents(at, showEndpoint(at, look({ a: true }))!, undefined).map(({ reason }) => reason);
  };
  expect([told("Waiting", "False"), told("Endpoint successfully created", "True")]).toEqual([["Updated"], []]);
});

describe("whether the next word is on its way", () => {
  const agents = (pods: Record<string, boolean>) => new Map(Object.entries(pods));

  test("an agent that is there speaks soon, and so does a Domain that is being reserved", () => {
    expect(saysMoreSoon(endpoint([]), domain, agents({ a: true }))).toBe(true);
    expect(saysMoreSoon(endpoint([]), domain, undefined)).toBe(true);
    expect(saysMoreSoon(endpoint([entry("a")]), { ...domain, untried: true }, agents({ a: true }))).toBe(true);
  });

  test("one that is ready speaks soon, whatever one has said that is not", () => {
    expect(saysMoreSoon(endpoint([refused("a")]), domain, agents({ a: false, b: true }))).toBe(true);
    expect(saysMoreSoon(endpoint([refused("a")]), domain, agents({ a: false }))).toBe(false);
  });

  test("where no agent is ready nobody speaks, and who has spoken has nothing more to say", () => {
    expect(saysMoreSoon(endpoint([]), domain, agents({}))).toBe(false);
    expect(saysMoreSoon(endpoint([]), domain, agents({ a: false }))).toBe(false);
    expect(saysMoreSoon(endpoint([entry("a")]), domain, agents({ a: true }))).toBe(false);
    expect(saysMoreSoon(endpoint([refused("a")]), domain, agents({ a: true }))).toBe(false);
  });
});
