import { describe, expect, test } from "vitest";
import { claimOf, controllerLabels, gatewayClassClaimOf, hasControllerLabels } from "./keys.ts";

const release = { namespace: "ngrok-system", name: "edge" };

test("the claim writes the finalizer that every release has written, and takes both spellings off", () => {
  expect(claimOf(release)).toEqual({
    finalizer: "k8s.ngrok.com/finalizer",
    finalizers: ["k8s.ngrok.com/finalizer", "ngrok.com/finalizer"],
    stamp: "ngrok.com/drain-owner",
    owner: "ngrok-system/edge",
  });
});

test("the claim on a GatewayClass is the finalizer of Gateway API, under the same stamp", () => {
  const finalizer = "gateway-exists-finalizer.gateway.networking.k8s.io";
  expect(gatewayClassClaimOf(release)).toEqual({ ...claimOf(release), finalizer, finalizers: [finalizer] });
});

describe("controller labels", () => {
  const labels = controllerLabels("ngrok-system", "edge-manager");

  test("are written under both prefixes", () => {
    expect(labels).toEqual({
      "ngrok.com/controller-namespace": "ngrok-system",
      "ngrok.com/controller-name": "edge-manager",
      "k8s.ngrok.com/controller-namespace": "ngrok-system",
      "k8s.ngrok.com/controller-name": "edge-manager",
    });
  });

  test.for([
    ["both pairs", labels, true],
    [
      "the legacy pair alone",
      { "k8s.ngrok.com/controller-namespace": "ngrok-system", "k8s.ngrok.com/controller-name": "edge-manager" },
      true,
    ],
    [
      "half of each pair",
      { "ngrok.com/controller-namespace": "ngrok-system", "k8s.ngrok.com/controller-name": "edge-manager" },
      false,
    ],
    ["another manager's", controllerLabels("ngrok-system", "other-manager"), false],
    ["none", undefined, false],
  ] as const)("are recognised by one full pair: %s", ([, found, ours], { expect }) => {
    expect(hasControllerLabels(found, "ngrok-system", "edge-manager")).toBe(ours);
  });
});
