// What is created claimed, and what is not.
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { controllerLabels, DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Service } from "#kube/kinds.ts";
import type { Writer } from "#kube/writer.ts";
import { aCloudEndpoint, aDomain, anAgentEndpoint, aService } from "#test/support/builders.ts";
import { nothingCached } from "#test/support/cached.ts";
import { everyController } from "#test/support/every.ts";
import { claiming } from "./birth.ts";
import type { Controller, Surroundings } from "./define-controller.ts";
import type { Options } from "./options.ts";

const around: Surroundings = {
  release: { name: "ngrok", namespace: "ops", fullname: "ngrok" },
  clusterWide: true,
  options: { managerName: "ngrok-manager" } as Options,
  cached: nothingCached,
};
const every = everyController.map(({ controller }) => controller);

/** What is sent of an object that is created while these controllers are at work. */
async function sent(kind: Kind, object: KubeObject, controllers: readonly Controller[] = every): Promise<KubeObject> {
  const server = { create: (_: Kind, body: KubeObject) => Promise.resolve(body) } as unknown as Writer;
  return await claiming(server, controllers, around).create(kind, object, new AbortController().signal);
}

const CLAIMED = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: "ops/ngrok" } };

test("a Domain and an AgentEndpoint are held from their creation", async () => {
  expect((await sent(Domain, aDomain())).metadata).toMatchObject(CLAIMED);
  expect((await sent(AgentEndpoint, anAgentEndpoint())).metadata).toMatchObject(CLAIMED);
});

test("a CloudEndpoint is not: its claim notes that something at ngrok may have been begun (F17, F28)", async () => {
  expect(await sent(CloudEndpoint, aCloudEndpoint())).toEqual(aCloudEndpoint());
});

test("nor is what its controller would not claim, what nobody works on, and what is a user's kind", async () => {
  const internal = aDomain({ spec: { domain: "shop.internal" } });
  expect(await sent(Domain, internal)).toEqual(internal);
  const theirs = aDomain({ metadata: { labels: controllerLabels("elsewhere", "their-manager") } });
  expect(await sent(Domain, theirs)).toEqual(theirs);
  expect(await sent(Domain, aDomain(), [])).toEqual(aDomain());
  expect(await sent(Service, aService())).toEqual(aService());
});

test("only kinds of which an undo without an id finds nothing of another's are born claimed", () => {
  const born = every.filter(({ bornClaimed }) => bornClaimed === true).map(({ kind }) => kind.kind);
  expect(born).toEqual(["Domain", "AgentEndpoint", "BoundEndpoint"]);
});
