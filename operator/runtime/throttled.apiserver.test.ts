// ngrok answers "too many requests" while a new leader looks at everything once: what is served stays Ready, unwritten.
import { expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { OwnKind, OwnObject } from "#api/define-kind.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import { cloudEndpointController } from "#operator/controllers/cloud-endpoint/controller.ts";
import { domainController } from "#operator/controllers/domain/controller.ts";
import { ipPolicyController } from "#operator/controllers/ip-policy/controller.ts";
import { aCloudEndpoint, aDomain, anIPPolicy } from "#test/support/builders.ts";
import { condition, isReady, startWorld } from "#test/support/world.ts";

const controllers = [cloudEndpointController, domainController, ipPolicyController];

test("one answer of 429 with half a minute to wait turns nothing that is there, and costs no status write; what is new says that it waits", async () => {
  await using world = await startWorld({ controllers });
  const names = ["a", "b", "c"];
  for (const name of names) {
    await world.create(Domain, aDomain({ metadata: { name }, spec: { domain: `${name}.ngrok.app` } }));
    const internal = { url: `https://${name}.internal`, bindings: ["internal" as const] };
    await world.create(CloudEndpoint, aCloudEndpoint({ metadata: { name }, spec: internal }));
    await world.create(IPPolicy, anIPPolicy({ metadata: { name } }));
  }
  const kinds: readonly OwnKind<OwnObject>[] = [Domain, CloudEndpoint, IPPolicy];
  for (const kind of kinds) for (const name of names) await world.until(kind, name, isReady);
  await world.quiet();
  expect(await world.manager.stop()).toBe(0);

  const looks = { method: "GET", path: /^\/(endpoints|reserved_domains|ip_policies)\// };
  world.api.faults.add({ kind: "status", status: 429, retryAfter: 30, match: looks, times: Infinity });
  const leader = world.start();
  const putOff = (): number =>
    new Set(leader.log.filter(({ class: is }) => is === "throttled").map(({ object }) => object)).size;
  await expect.poll(putOff, { timeout: 60_000 }).toBe(kinds.length * names.length);
  await world.quiet();
  expect(leader.writes).toEqual([]);
  for (const kind of kinds)
    for (const name of names) expect(isReady((await world.get(kind, name)) as OwnObject)).toBe(true);

  await world.create(Domain, aDomain({ metadata: { name: "new" }, spec: { domain: "new.ngrok.app" } }));
  const waits = await world.until(Domain, "new", (one) => condition(one, "Ready") !== undefined);
  const ready = waits.status?.conditions?.find(({ type }) => type === "Ready");
  expect(ready).toMatchObject({
    status: "False",
    message: expect.stringMatching(/^ngrok asked to wait, \D+$/) as string,
  });
});
