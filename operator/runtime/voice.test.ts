// What people read of an object: that something was made of it is said where it was, and never of an object of their own.
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Ingress, Service } from "#kube/kinds.ts";
import {
  aBoundEndpoint,
  aCloudEndpoint,
  anAgentEndpoint,
  anIngress,
  anNgrokTrafficPolicy,
  aService,
} from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { done, failed } from "./define-controller.ts";
import { openLog } from "./log.ts";
import { Voice } from "./voice.ts";

function aVoice(kind: Kind) {
  const told: string[] = [];
  const voice = new Voice<KubeObject>({
    kind,
    log: openLog({ level: "error", encoder: "json", secrets: [] }, { write: () => undefined }),
    clock: testClock(),
    event: (_, { reason, note }) => told.push(`${reason}: ${note}`),
  });
  return { voice, told };
}

const taken = failed<KubeObject>(new KnownError("invalid", "the host is taken"));

test.for<[string, Kind, KubeObject, string[]]>([
  [
    "a CloudEndpoint that ngrok has not got yet",
    CloudEndpoint,
    aCloudEndpoint(),
    ["CreateError: Failed to Create CloudEndpoint/web: the host is taken"],
  ],
  [
    "one that it has got",
    CloudEndpoint,
    aCloudEndpoint({ status: { id: "ep_1" } }),
    ["UpdateError: Failed to update CloudEndpoint/web: the host is taken"],
  ],
  [
    "an AgentEndpoint, which agents open and nobody creates at ngrok",
    AgentEndpoint,
    anAgentEndpoint(),
    ["UpdateError: Failed to update AgentEndpoint/shop: the host is taken"],
  ],
  [
    "a BoundEndpoint, which is ngrok's already",
    BoundEndpoint,
    aBoundEndpoint(),
    [expect.stringMatching(/^UpdateError: Failed to update BoundEndpoint\//) as string],
  ],
  [
    "a traffic policy, which stays in the cluster",
    NgrokTrafficPolicy,
    anNgrokTrafficPolicy(),
    [expect.stringMatching(/^UpdateError: Failed to update NgrokTrafficPolicy\//) as string],
  ],
])("what fails before anything was begun, of %s", ([, kind, object, expected], { expect }) => {
  const { voice, told } = aVoice(kind);
  voice.ended(object, taken, undefined);
  expect(told).toEqual(expected);
});

test.for<[string, Kind, KubeObject]>([
  ["Service", Service, aService()],
  ["Ingress", Ingress, anIngress()],
])(
  "of a user's %s nobody is told that we create it: the words for it are its controller's",
  ([, kind, object], { expect }) => {
    const { voice, told } = aVoice(kind);
    voice.begins(object, "create");
    voice.ended(object, done(), "create");
    voice.ended(object, taken, "create");
    voice.ended(object, taken, undefined);
    expect(told).toEqual([]);
  },
);
