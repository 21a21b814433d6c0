// Whether an endpoint needs a Domain, and what the Domain's state means for it.
import { describe, expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { controllerLabels } from "#api/keys.ts";
import { aCloudEndpoint, aDomain, anAgentEndpoint } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { Cache } from "../runtime/cache.ts";
import type { Context } from "../runtime/define-controller.ts";
import { domainNeed } from "#api/domain-need.ts";
import {
  BY_HOST,
  domainNames,
  domainState,
  endpointsOn,
  ensureDomain,
  hostsOfDomain,
  hostsOfGenerated,
  momentLeft,
} from "./domain.ts";

test("a host has two possible names, since two hosts can share the plain one", () => {
  const [plain, distinct] = domainNames("https://a-b.com", undefined);
  expect(plain).toBe("a-b-com");
  expect(distinct).not.toBe(domainNames("https://a.b.com", undefined)[1]);
  expect(domainNames("https://a.internal", undefined)).toEqual([]);
});

describe("domainState", () => {
  const condition = (status: "True" | "False") => [
    { type: "Ready", status, reason: "R", message: "m", lastTransitionTime: "2026-01-01T00:00:00Z" },
  ];
  const table: readonly [string, Parameters<typeof aDomain>[0], string, boolean][] = [
    ["nobody has tried yet", {}, "False DomainCreating", true],
    ["ready", { status: { id: "rd_1", conditions: condition("True") } }, "True R", false],
    ["ready without an id is not ready", { status: { conditions: condition("True") } }, "False R", false],
    ["not ready", { status: { id: "rd_1", conditions: condition("False") } }, "False R", false],
    [
      "being deleted",
      {
        metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" },
        status: { id: "rd_1", conditions: condition("True") },
      },
      "False DomainNotReady",
      false,
    ],
  ];
  test.for(table)("%s", ([, overrides, said, untried], { expect }) => {
    const state = domainState(aDomain(overrides));
    expect(`${state.finding.status} ${state.finding.reason}`).toBe(said);
    expect(state.untried).toBe(untried);
  });
});

test("an object that says nothing yet has three seconds in which nothing has to be told; one that has spoken has none", () => {
  const clock = testClock();
  const metAt = clock.now();
  const silent = aCloudEndpoint();
  expect(momentLeft(silent, { clock, metAt })).toBe(3_000);
  expect(momentLeft(silent, { clock, metAt: metAt - 2_000 })).toBe(1_000);
  expect(momentLeft(silent, { clock, metAt: metAt - 60_000 })).toBe(0);
  expect(momentLeft(aCloudEndpoint({ status: { conditions: [] } }), { clock, metAt })).toBe(0);
});

describe("a generated endpoint of a Service whose Gateway is in another namespace", () => {
  const labels = controllerLabels("ops", "ngrok-manager");
  const atGateway = { namespace: "gateways", name: "shop-example-com", labels, resourceVersion: "1" };
  const endpoint = anAgentEndpoint({
    metadata: { namespace: "shop", name: "web", labels, resourceVersion: "1" },
    spec: { url: "https://shop.example.com" },
  });

  /** `made`: Domains that were created. */
  function around(...domains: readonly Domain[]) {
    const cache = new Cache();
    const store = cache.add(Domain, { [BY_HOST]: hostsOfDomain });
    for (const one of domains) store.put(one);
    cache.add(AgentEndpoint, { [BY_HOST]: hostsOfGenerated, domain: () => [] }).put(endpoint);
    const made: Domain[] = [];
    const context = {
      cached: cache,
      release: { namespace: "ops", name: "ngrok", fullname: "ngrok" },
      options: { managerName: "ngrok-manager", defaultDomainReclaimPolicy: "Delete" },
      writer: { create: (_: unknown, one: Domain) => (made.push(one), Promise.resolve(one)) },
    } as unknown as Context;
    return { cache, context, made };
  }
  const need = domainNeed(endpoint.spec.url, undefined);
  const theirs = aDomain({ metadata: atGateway, spec: { domain: "shop.example.com" } });

  test("stands on the Domain of the Gateway's namespace, and hears of it: there is one Domain for one host", async () => {
    const { cache, context, made } = around(theirs);
    expect((await ensureDomain(need, endpoint, context)).ref).toEqual({
      namespace: "gateways",
      name: "shop-example-com",
    });
    expect(made).toEqual([]);
    expect(endpointsOn(AgentEndpoint, theirs, cache)).toEqual([{ namespace: "shop", name: "web" }]);
  });

  test("has one of its own where it had it, and where that of the Gateway is not ours or goes", async () => {
    const mine = aDomain({ metadata: { ...atGateway, namespace: "shop" }, spec: { domain: "shop.example.com" } });
    expect((await ensureDomain(need, endpoint, around(theirs, mine).context)).ref?.namespace).toBe("shop");
    const { labels: _, ...unlabelled } = atGateway;
    const written = aDomain({ metadata: unlabelled, spec: { domain: "shop.example.com" } });
    const going = aDomain({
      metadata: { ...atGateway, deletionTimestamp: "2026-01-01T00:00:00Z" },
      spec: { domain: "shop.example.com" },
    });
    for (const other of [written, going]) {
      const { context, made } = around(other);
      expect((await ensureDomain(need, endpoint, context)).ref?.namespace).toBe("shop");
      expect(made).toHaveLength(1);
    }
  });

  test("which a person wrote has its own, whoever else has the host", async () => {
    const { context, made } = around(theirs);
    const written = anAgentEndpoint({ metadata: { namespace: "shop" }, spec: { url: "https://shop.example.com" } });
    expect((await ensureDomain(need, written, context)).ref?.namespace).toBe("shop");
    expect(made).toHaveLength(1);
    expect(hostsOfGenerated(written)).toEqual([]);
  });
});
