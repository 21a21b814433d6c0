// What the demo calls harm to a user's object.
import { expect, test } from "vitest";
import { harmTo, isServed, nameOf, usersObjects, type UsersObject } from "./users.ts";

function anIngress(metadata: Partial<UsersObject["metadata"]> = {}, spec: unknown = { rules: [] }): UsersObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name: "shop",
      namespace: "demo-users",
      uid: "1",
      labels: { team: "shop" },
      annotations: { "example.com/owner": "the users", "ngrok.com/mapping-strategy": "endpoints" },
      finalizers: ["example.com/theirs"],
      ...metadata,
    },
    spec,
  };
}

test("the operator is asked for four kinds, not for the Services behind them", () => {
  const served = usersObjects(["ingress", "gateway", "service"]).filter(isServed).map(nameOf);
  expect(served).toEqual([
    "ingress demo-users/shop",
    "gatewayclass ngrok",
    "gateway demo-users/edge",
    "httproute demo-users/api",
    "service demo-users/database",
  ]);
  expect(usersObjects(["service"]).map(nameOf)).toEqual(["service demo-users/database"]);
});

test("what the operator wrote down for itself and left is no harm", () => {
  const { annotations } = anIngress().metadata;
  const after = anIngress({ annotations: { ...annotations, "ngrok.com/computed-url": "tcp://1.tcp.ngrok.io:20000" } });
  expect(harmTo(anIngress(), after)).toEqual([]);
});

test("an object that came back is held against the uninstall", () => {
  expect(harmTo(anIngress(), undefined)).toEqual(["ingress demo-users/shop is gone"]);
  expect(harmTo(anIngress(), anIngress({ uid: "2" }))).toEqual(["ingress demo-users/shop was made anew"]);
});

test.for<[Partial<UsersObject["metadata"]>, string]>([
  [{ deletionTimestamp: "2026-01-01T00:00:00Z" }, "is being deleted"],
  [{ labels: {} }, "has other labels"],
  [{ annotations: { "ngrok.com/mapping-strategy": "endpoints" } }, "has other annotations"],
  [{ annotations: { "example.com/owner": "the users" } }, "has other annotations"],
  [{ finalizers: [] }, "has lost or got a stranger's finalizer"],
  [{ finalizers: ["example.com/theirs", "k8s.ngrok.com/finalizer"] }, "carries our finalizer k8s.ngrok.com/finalizer"],
  [
    {
      annotations: {
        "example.com/owner": "the users",
        "ngrok.com/mapping-strategy": "endpoints",
        "ngrok.com/drain-owner": "a/b",
      },
    },
    "carries our stamp ngrok.com/drain-owner",
  ],
])("%o is harm", ([metadata, said]) => {
  expect(harmTo(anIngress(), anIngress(metadata))).toEqual([`ingress demo-users/shop ${said}`]);
});

test("another spec is harm", () => {
  expect(harmTo(anIngress(), anIngress({}, { rules: [{}] }))).toEqual(["ingress demo-users/shop has another spec"]);
});
