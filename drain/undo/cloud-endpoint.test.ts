// What goes at ngrok with a CloudEndpoint that has no id: by what its status says of the creation.
import { expect, test } from "vitest";
import { aCloudEndpoint } from "#test/support/builders.ts";
import type { UndoHands } from "../hands.ts";
import { undoCloudEndpoint } from "./cloud-endpoint.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };
const { signal } = new AbortController();

/** Undoes one of which this was said, where ngrok has one endpoint of its URL and metadata. */
async function undone(status: "True" | "False" | "Unknown", reason: string) {
  const removed: string[] = [];
  const endpoints = {
    matching: async () => [{ id: "ep_1" }],
    remove: async (id: string) => {
      removed.push(id);
      return "deleted";
    },
  };
  const conditions = [{ type: "CloudEndpointCreated", status, reason, message: "", lastTransitionTime: "" }];
  const hands = { ngrok: { endpoints } } as unknown as UndoHands;
  const ended = await undoCloudEndpoint(aCloudEndpoint({ status: { conditions } }), hands, release, signal);
  return { ...ended, removed };
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
