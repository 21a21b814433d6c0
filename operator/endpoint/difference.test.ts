// A generated object is written only when it says something else than it should.
import { expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { difference, sameJson, withDefaults } from "./difference.ts";

const wanted: CloudEndpoint = {
  metadata: { name: "web", namespace: "shop", labels: { app: "web" } },
  spec: { url: "https://web.example.com" },
};

test("what the API server has filled in is no difference", () => {
  const stored = aCloudEndpoint({ metadata: { labels: { app: "web", other: "x" } } });
  expect(difference(CloudEndpoint, wanted, stored)).toEqual([]);
});

test("an empty policy differs from none", () => {
  const stored = aCloudEndpoint({ metadata: { labels: { app: "web" } }, spec: { trafficPolicy: { inline: {} } } });
  expect(difference(CloudEndpoint, wanted, stored)).toEqual([{ op: "add", path: "/spec", value: wanted.spec }]);
});

test("a description that the user gave replaces the default, and goes back to it", () => {
  const stored = aCloudEndpoint({ metadata: { labels: { app: "web" } }, spec: { description: "by hand" } });
  expect(difference(CloudEndpoint, wanted, stored)).toHaveLength(1);
});

test("labels of nobody knows whom are never taken away; one without labels gets the map", () => {
  expect(difference(CloudEndpoint, wanted, aCloudEndpoint({ metadata: { labels: { "a/b": "c" } } }))).toEqual([
    { op: "add", path: "/metadata/labels/app", value: "web" },
  ]);
  expect(difference(CloudEndpoint, wanted, aCloudEndpoint())).toEqual([
    { op: "add", path: "/metadata/labels", value: { app: "web" } },
  ]);
});

test("what we alone wrote and want no more goes; what others wrote, or wrote as well, stays, and so does what tells us our own", () => {
  const texts = { "a/ours": "1", shared: "2", theirs: "3", "ngrok.com/drain-owner": "ops/ngrok" };
  const fields = (...keys: string[]): object => {
    const map = Object.fromEntries([[".", {}], ...keys.map((key) => [`f:${key}`, {}] as const)]);
    return { "f:metadata": { "f:labels": map, "f:annotations": map } };
  };
  const managedFields = [
    {
      manager: "ngrok-operator",
      operation: "Update",
      fieldsV1: fields("app", "a/ours", "shared", "ngrok.com/drain-owner"),
    },
    { manager: "kubectl", operation: "Apply", fieldsV1: fields("shared", "theirs") },
  ];
  const stored = aCloudEndpoint({ metadata: { labels: { app: "web", ...texts }, annotations: texts, managedFields } });
  expect(difference(CloudEndpoint, wanted, stored)).toEqual([
    { op: "remove", path: "/metadata/labels/a~1ours" },
    { op: "remove", path: "/metadata/annotations/a~1ours" },
  ]);
});

test("a key with a slash is one step of the path", () => {
  const labelled = { ...wanted, metadata: { ...wanted.metadata, labels: { "ngrok.com/x~y": "z" } } };
  const stored = aCloudEndpoint({ metadata: { labels: { app: "web" } } });
  expect(difference(CloudEndpoint, labelled, stored)).toEqual([
    { op: "add", path: "/metadata/labels/ngrok.com~1x~0y", value: "z" },
  ]);
});

test("an owner that was taken off comes back beside the others", () => {
  const owner = { apiVersion: "v1", kind: "Service", name: "db", uid: "1", controller: true };
  const other = { apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "2" };
  const owned = { ...wanted, metadata: { ...wanted.metadata, ownerReferences: [owner] } };
  const stored = aCloudEndpoint({ metadata: { labels: { app: "web" }, ownerReferences: [other] } });
  expect(difference(CloudEndpoint, owned, stored)).toEqual([
    { op: "add", path: "/metadata/ownerReferences", value: [other, owner] },
  ]);
});

test("an owner whose deletion is held up, as releases before wrote it, is left as it is", () => {
  const owner = { apiVersion: "v1", kind: "Service", name: "db", uid: "1", controller: true };
  const owned = { ...wanted, metadata: { ...wanted.metadata, ownerReferences: [owner] } };
  const held = [{ ...owner, blockOwnerDeletion: true }];
  const stored = aCloudEndpoint({ metadata: { labels: { app: "web" }, ownerReferences: held } });
  expect(difference(CloudEndpoint, owned, stored)).toEqual([]);
});

test("defaults go into lists and stay out of what is not there", () => {
  const schema = {
    properties: {
      rules: { items: { properties: { mode: { default: "allow" } } } },
      tls: { properties: { mode: { default: "require" } } },
    },
  };
  expect(withDefaults(schema, { rules: [{}, { mode: "deny" }] })).toEqual({
    rules: [{ mode: "allow" }, { mode: "deny" }],
  });
});

test.for([
  [{ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 }, true],
  [{ a: undefined }, {}, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [[1, 2], [2, 1], false],
  [null, {}, false],
  [{ a: null }, {}, false],
  [[], {}, false],
] as const)("%j and %j say the same: %s", ([a, b, same]) => {
  expect(sameJson(a, b)).toBe(same);
  expect(sameJson(b, a)).toBe(same);
});
