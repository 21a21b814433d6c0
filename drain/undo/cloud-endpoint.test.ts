// What goes at ngrok with a CloudEndpoint that has no id: by what its status says of the creation.
import { describe, expect, test } from "vitest";
import type { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import type { UndoHands } from "../hands.ts";
import { undoCloudEndpoint } from "./cloud-endpoint.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };
const { signal } = new AbortController();

interface Around {
  /** Whose status shows the endpoint's id. */
  readonly recorded?: true;
  /** As the API server has the object, where that is asked for. */
  readonly stored?: CloudEndpoint;
  /** When that endpoint was made. */
  readonly createdAt?: string;
}

/** Undoes it, where ngrok has one endpoint of its URL and metadata. */
async function undoneOf(object: CloudEndpoint, { recorded, stored, createdAt }: Around = {}) {
  const removed: string[] = [];
  const endpoints = {
    matching: async () => [{ id: "ep_1", createdAt }],
    remove: async (id: string) => {
      removed.push(id);
      return "deleted";
    },
  };
  const hands = {
    ngrok: { endpoints },
    read: {
      get: async () => undefined,
      async *pages() {
        yield { items: stored === undefined ? [] : [stored] };
      },
    },
    recordsEndpoint: async () => recorded === true,
  } as unknown as UndoHands;
  const ended = await undoCloudEndpoint(object, hands, release, signal);
  return { ...ended, removed };
}

/** One of which this was said. */
async function undone(status: "True" | "False" | "Unknown", reason: string, around: Around = {}) {
  const conditions = [{ type: "CloudEndpointCreated", status, reason, message: "", lastTransitionTime: "" }];
  const metadata = { creationTimestamp: "2026-02-01T12:00:00Z" };
  return await undoneOf(aCloudEndpoint({ metadata, status: { conditions } }), around);
}

test("whose creation got lost takes what it left along", async () => {
  expect(await undone("Unknown", "CloudEndpointCreationFailed")).toEqual({
    remote: "deleted",
    id: "ep_1",
    removed: ["ep_1"],
  });
});

test("whose creation ngrok refused has nothing there: what has its URL is somebody else's", async () => {
  expect(await undone("False", "CloudEndpointCreationFailed")).toEqual({ remote: "none", removed: [] });
});

test("that was waiting when last seen leaves what it may have made since, and names it", async () => {
  expect(await undone("False", "Pending")).toEqual({
    remote: "kept",
    id: "ep_1",
    why: "nothing tells whether it was made for this object",
    removed: [],
  });
});

test("leaves what is older than the object: another cluster has made it", async () => {
  const lost = ["Unknown", "CloudEndpointCreationFailed"] as const;
  const ended = await undone(...lost, { createdAt: "2026-01-30T00:00:00Z" });
  expect(ended).toEqual({ remote: "kept", id: "ep_1", why: "it is older than the object", removed: [] });
  expect((await undone(...lost, { createdAt: "2026-02-01T12:00:01Z" })).removed).toEqual(["ep_1"]);
});

test("leaves to another CloudEndpoint what that one records", async () => {
  const ended = await undone("Unknown", "CloudEndpointCreationFailed", { recorded: true });
  expect(ended).toEqual({ remote: "none", removed: [] });
});

describe("of which nothing was said", () => {
  /** With finalizer and stamp on, written by this field manager. */
  const claimedBy = (manager: string) => {
    const fieldsV1 = { "f:metadata": { "f:finalizers": { ".": {}, [`v:"${FINALIZER}"`]: {} } } };
    const managedFields = [{ manager, operation: "Update", fieldsV1 }];
    const annotations = { [DRAIN_OWNER]: "ops/ngrok" };
    return aCloudEndpoint({ metadata: { uid: "u", finalizers: [FINALIZER], annotations, managedFields } });
  };

  test("takes along what it left if we had claimed it", async () => {
    const stored = claimedBy("ngrok-operator");
    // The watch keeps no managedFields of it.
    const ended = await undoneOf(aCloudEndpoint({ metadata: { uid: "u" } }), { stored });
    expect(ended).toEqual({ remote: "deleted", id: "ep_1", removed: ["ep_1"] });
  });

  test.for([
    ["brought our claim along", claimedBy("kubectl-create")],
    ["is gone", undefined],
  ] as const)("takes nothing if it %s: nothing was asked for it", async ([, stored], { expect }) => {
    const ended = await undoneOf(aCloudEndpoint({ metadata: { uid: "u" } }), stored === undefined ? {} : { stored });
    expect(ended).toEqual({
      remote: "kept",
      id: "ep_1",
      why: "nothing tells whether it was made for this object",
      removed: [],
    });
  });
});
