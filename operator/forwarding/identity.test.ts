// Who is at the other end: an address that is one pod's names it, and one that could be anybody's names nobody.
import { describe, expect, test } from "vitest";
import type { PodObject } from "#kube/kinds.ts";
import { addressesOf, canonical, identityOf, podPart } from "./identity.ts";

function aPod(name: string, change: Omit<Partial<PodObject>, "metadata"> & { metadata?: object } = {}): PodObject {
  return {
    spec: { nodeName: "n1", serviceAccountName: "default" },
    status: { phase: "Running", podIP: "10.0.0.5", podIPs: [{ ip: "10.0.0.5" }, { ip: "fd00:0:0::5" }] },
    ...change,
    metadata: {
      name,
      namespace: "apps",
      uid: `uid-${name}`,
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...change.metadata,
    },
  };
}

describe("the addresses of a pod", () => {
  test("are those of both families, each in one way of writing", () => {
    expect(addressesOf(aPod("a"))).toEqual(["10.0.0.5", "fd00::5"]);
    expect(addressesOf(aPod("old", { status: { phase: "Running", podIP: "10.0.0.6" } }))).toEqual(["10.0.0.6"]);
    expect(addressesOf(aPod("new", { status: { phase: "Pending" } }))).toEqual([]);
  });

  test("are none where it shares its node's, so that no process of the node passes for it", () => {
    expect(addressesOf(aPod("proxy", { spec: { hostNetwork: true } }))).toEqual([]);
  });

  test("are none once it has ended: they are another's soon", () => {
    for (const phase of ["Succeeded", "Failed"] as const)
      expect(addressesOf(aPod("job", { status: { phase, podIP: "10.0.0.5" } }))).toEqual([]);
  });

  test("are found however the connection writes them", () => {
    const written = ["10.0.0.5", "::ffff:10.0.0.5", "::FFFF:10.0.0.5", "fd00::5", "FD00:0:0:0::5", "fe80::1%eth0", ""];
    expect(written.map(canonical)).toEqual(["10.0.0.5", "10.0.0.5", "10.0.0.5", "fd00::5", "fd00::5", "fe80::1", ""]);
  });
});

describe("the identity", () => {
  test("is the pod's, with no annotation but those for ngrok", () => {
    const annotations = {
      "ngrok.com/tier": "gold",
      "k8s.ngrok.com/old": "1",
      "vault/token": "s.1234",
      "xngrok.com/x": "",
    };
    expect(identityOf([aPod("a", { metadata: { annotations } })])).toEqual({
      uid: "uid-a",
      name: "a",
      namespace: "apps",
      annotations: { "ngrok.com/tier": "gold", "k8s.ngrok.com/old": "1" },
    });
  });

  test("has empty fields when no pod is known", () => {
    expect(identityOf([])).toEqual({ uid: "", name: "", namespace: "", annotations: {} });
  });

  test("of an address that goes from one pod to the next is the next one's", () => {
    const leaving = aPod("leaving", {
      metadata: { deletionTimestamp: "2026-01-03T00:00:00Z", creationTimestamp: "2026-01-02T23:00:00Z" },
    });
    const older = aPod("older");
    const newer = aPod("newer", { metadata: { creationTimestamp: "2026-01-02T00:00:00Z" } });
    for (const pods of [
      [leaving, older, newer],
      [newer, older, leaving],
    ])
      expect(identityOf(pods).name).toBe("newer");
    expect(identityOf([leaving]).name).toBe("leaving");
  });
});

test("of a pod is kept what an identity needs, and nothing that somebody could want to keep secret", () => {
  const pod = aPod("a", {
    metadata: { labels: { app: "x" }, annotations: { "ngrok.com/a": "1", note: "private" }, resourceVersion: "7" },
  });
  const part = podPart(pod);
  expect(JSON.stringify(part)).not.toMatch(/private|labels|serviceAccountName/);
  expect([identityOf([part]), addressesOf(part)]).toEqual([identityOf([pod]), addressesOf(pod)]);
  expect(part.metadata.resourceVersion).toBe("7");
});
