// Objects that nobody can walk through to their end, since the API server stores them: each is refused by itself, everything
// else goes on, and they go like any other.
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { findCondition } from "#api/conditions.ts";
import type { OwnKind, OwnObject } from "#api/define-kind.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { nestedText } from "#test/support/nested.ts";
import { isReady, startWorld } from "#test/support/world.ts";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { cloudEndpointController } from "../controllers/cloud-endpoint/controller.ts";
import { domainController } from "../controllers/domain/controller.ts";
import { ipPolicyController } from "../controllers/ip-policy/controller.ts";
import { trafficPolicyController } from "../controllers/traffic-policy/controller.ts";

const controllers = [cloudEndpointController, domainController, ipPolicyController, trafficPolicyController];
const DEEP = nestedText(6_000);

/** By kind: what its spec says, where DEEP stands for itself, and what is told of it. */
const objects: readonly [OwnKind, string, string, RegExp][] = [
  [NgrokTrafficPolicy, `"policy":${DEEP}`, "Ready", /^spec.policy is nested more than 100 levels deep/],
  [
    CloudEndpoint,
    `"url":"https://deep.internal","trafficPolicy":{"inline":${DEEP}}`,
    "TrafficPolicyApplied",
    /^spec.trafficPolicy.inline is nested more than 100 levels deep/,
  ],
  [Domain, `"domain":"deep.example.com","metadata":${DEEP}`, "DomainCreated", /metadata/i],
  [IPPolicy, `"metadata":${DEEP}`, "IPPolicyCreated", /metadata/i],
];

test("what is nested thousands of levels deep is refused by itself: the rest is served, and each goes when it is deleted", async () => {
  await using world = await startWorld({ controllers });
  const program = join(await binaries(console.log), "kubectl");
  for (const [{ group, versions, kind }, spec] of objects) {
    const head = `"apiVersion":"${group}/${versions[0]}","kind":"${kind}","metadata":{"name":"deep"}`;
    const args = ["--kubeconfig", inject("kubeconfig"), "-n", world.namespace, "create", "-f", "-"];
    await command(program, args, { input: `{${head},"spec":{${spec}}}` });
  }
  await world.create(CloudEndpoint, aCloudEndpoint());

  await world.until(CloudEndpoint, "web", isReady);
  for (const [kind, , type, message] of objects) {
    const found = (one: OwnObject) => findCondition(one.status?.conditions, type);
    const told = await world.until(kind, "deep", (one) => found(one) !== undefined);
    expect([found(told)?.status, found(told)?.message]).toEqual(["False", expect.stringMatching(message)]);
  }

  for (const [kind] of objects) await world.remove(kind, "deep");
  for (const [kind] of objects) await world.gone(kind, "deep");
  expect(world.api.objects("endpoints")).toHaveLength(1);
});
