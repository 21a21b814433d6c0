// The one writer of finalizers against a real API server, with others writing at the same time.
import { beforeAll, describe, expect, inject, test } from "vitest";
import { patient } from "#test/support/patient.ts";
import { afterUninstall } from "#wire/fence.ts";
import { connect, type Connection } from "./connection.ts";
import type { Claim } from "./finalizer.ts";
import { targetOf, type KubeObject } from "./kind.ts";
import { ConfigMap, Namespace, type ConfigMapObject } from "./kinds.ts";
import { reader } from "./reader.ts";
import { writer, type Writer } from "./writer.ts";

const { signal } = new AbortController();
const namespace = "finalizer-test";
const claim: Claim = {
  finalizer: "k8s.ngrok.com/finalizer",
  finalizers: ["k8s.ngrok.com/finalizer", "ngrok.com/finalizer"],
  stamp: "ngrok.com/drain-owner",
  owner: "ngrok/main",
};

let connection: Connection;
let write: Writer;

beforeAll(async () => {
  connection = patient(await connect({ kubeconfig: inject("kubeconfig") }));
  write = writer(connection, afterUninstall(signal));
  await write.create(Namespace, { metadata: { name: namespace } }, signal);
  return async () => await connection[Symbol.asyncDispose]();
});

async function aConfigMap(name: string, metadata: Partial<KubeObject["metadata"]> = {}): Promise<ConfigMapObject> {
  return await write.create(ConfigMap, { metadata: { name, namespace, ...metadata } }, signal);
}

async function now(object: KubeObject): Promise<ConfigMapObject | undefined> {
  return await reader(connection).get(ConfigMap, { name: object.metadata.name, namespace }, signal);
}

/** The connection, counting its calls and letting somebody else in before each of ours. */
function watched(before: (method: string) => Promise<void> = async () => undefined): {
  calls: string[];
  write: Writer;
} {
  const calls: string[] = [];
  const between: Connection = {
    ...connection,
    request: async (request) => {
      await before(request.method);
      calls.push(request.method);
      return await connection.request(request);
    },
  };
  return { calls, write: writer(between, afterUninstall(signal)) };
}

describe("a claim", () => {
  test("is put on and taken off again, and leaves no trace", async () => {
    const object = await aConfigMap("round-trip");
    const held = await write.addFinalizer(ConfigMap, object, claim, signal);
    expect(held.metadata).toMatchObject({ finalizers: [claim.finalizer], annotations: { [claim.stamp]: claim.owner } });
    expect(await write.addFinalizer(ConfigMap, held, claim, signal)).toBe(held);
    expect(await write.removeFinalizer(targetOf(ConfigMap, held), claim, "off", signal)).toBe("removed");
    const after = await now(object);
    expect(after?.metadata.finalizers).toBeUndefined();
    expect(after?.metadata.annotations).toBeUndefined();
  });

  test("comes off a listed object with one call", async () => {
    const held = await write.addFinalizer(ConfigMap, await aConfigMap("one-call"), claim, signal);
    const { calls, write: counted } = watched();
    expect(await counted.removeFinalizer(targetOf(ConfigMap, held), claim, "off", signal)).toBe("removed");
    expect(calls).toEqual(["PATCH"]);
  });

  test("of either prefix comes off, the stamp stays when it is to stay, strangers' entries stay always", async () => {
    const object = await aConfigMap("mixed", {
      finalizers: ["a.example/one", "ngrok.com/finalizer", "b.example/two", "k8s.ngrok.com/finalizer"],
      annotations: { [claim.stamp]: claim.owner, other: "x" },
    });
    expect(await write.removeFinalizer(targetOf(ConfigMap, object), claim, "stays", signal)).toBe("removed");
    const after = await now(object);
    expect(after?.metadata.finalizers).toEqual(["a.example/one", "b.example/two"]);
    expect(after?.metadata.annotations).toEqual({ [claim.stamp]: claim.owner, other: "x" });
  });

  test("that another install took meanwhile is not touched", async () => {
    const held = await write.addFinalizer(ConfigMap, await aConfigMap("restamped"), claim, signal);
    await write.patch(
      ConfigMap,
      { name: "restamped", namespace },
      held.metadata.uid ?? "",
      [{ op: "replace", path: "/metadata/annotations/ngrok.com~1drain-owner", value: "other/install" }],
      signal,
    );
    expect(await write.removeFinalizer(targetOf(ConfigMap, held), claim, "off", signal)).toBe("absent");
    expect((await now(held))?.metadata.finalizers).toEqual([claim.finalizer]);
  });
});

describe("somebody else writes in between", () => {
  test("a stranger's entry that moved ours is kept, ours goes (F23, W15)", async () => {
    const held = await write.addFinalizer(ConfigMap, await aConfigMap("moved"), claim, signal);
    const uid = held.metadata.uid ?? "";
    await write.patch(
      ConfigMap,
      { name: "moved", namespace },
      uid,
      [{ op: "add", path: "/metadata/finalizers/0", value: "stranger.example/first" }],
      signal,
    );
    const { calls, write: counted } = watched();
    expect(await counted.removeFinalizer(targetOf(ConfigMap, held), claim, "off", signal)).toBe("removed");
    expect(calls).toEqual(["PATCH", "GET", "PATCH"]);
    expect((await now(held))?.metadata.finalizers).toEqual(["stranger.example/first"]);
  });

  test("the first finalizer of a stranger is not overwritten by our own first (W15)", async () => {
    const object = await aConfigMap("both-first");
    let came = false;
    const { write: rival } = watched(async (method) => {
      if (method !== "PATCH" || came) return;
      came = true;
      await write.patch(
        ConfigMap,
        { name: "both-first", namespace },
        object.metadata.uid ?? "",
        [
          { op: "add", path: "/metadata/finalizers", value: ["stranger.example/first"] },
          { op: "add", path: "/metadata/annotations", value: { theirs: "x" } },
        ],
        signal,
      );
    });
    const held = await rival.addFinalizer(ConfigMap, object, claim, signal);
    expect(held.metadata.finalizers).toEqual(["stranger.example/first", claim.finalizer]);
    expect(held.metadata.annotations).toEqual({ theirs: "x", [claim.stamp]: claim.owner });
  });

  test("two writers race for one removal: nothing of a stranger goes, both end", async () => {
    const object = await aConfigMap("race", {
      finalizers: ["a.example/one", claim.finalizer, "b.example/two"],
      annotations: { [claim.stamp]: claim.owner },
    });
    const outcomes = await Promise.all(
      Array.from(
        { length: 6 },
        async () => await write.removeFinalizer(targetOf(ConfigMap, object), claim, "off", signal),
      ),
    );
    expect(outcomes.toSorted()).toEqual(["absent", "absent", "absent", "absent", "absent", "removed"]);
    expect((await now(object))?.metadata.finalizers).toEqual(["a.example/one", "b.example/two"]);
  });

  test("an object that changes under every attempt is given up with a name, not tried for ever (F23)", async () => {
    const held = await write.addFinalizer(ConfigMap, await aConfigMap("hot"), claim, signal);
    let turn = 0;
    const { write: rival } = watched(async (method) => {
      if (method !== "PATCH") return;
      turn += 1;
      const at = { name: "hot", namespace };
      const operation =
        turn % 2 === 1
          ? ({ op: "add", path: "/metadata/finalizers/0", value: "hot.example/x" } as const)
          : ({ op: "remove", path: "/metadata/finalizers/0" } as const);
      await write.patch(ConfigMap, at, held.metadata.uid ?? "", [operation], signal);
    });
    await expect(rival.removeFinalizer(targetOf(ConfigMap, held), claim, "off", signal)).rejects.toMatchObject({
      class: "conflict",
      message: expect.stringContaining("configmaps finalizer-test/hot") as string,
    });
  });
});

describe("the object is not the one that was meant", () => {
  test("a namesake with another uid is neither freed, claimed, patched nor deleted (W11)", async () => {
    const first = await aConfigMap("namesake");
    expect(await write.remove(targetOf(ConfigMap, first), signal)).toBe("deleted");
    const second = await aConfigMap("namesake", { finalizers: [claim.finalizer] });
    const target = { ...targetOf(ConfigMap, second), uid: first.metadata.uid ?? "" };
    expect(await write.removeFinalizer(target, claim, "off", signal)).toBe("gone");
    expect(await write.remove(target, signal)).toBe("gone");
    await expect(write.addFinalizer(ConfigMap, first, claim, signal)).rejects.toMatchObject({ class: "gone" });
    await expect(
      write.patch(ConfigMap, target.ref, target.uid, [{ op: "add", path: "/data", value: { a: "b" } }], signal),
    ).rejects.toMatchObject({ class: "conflict" });
    expect((await now(second))?.metadata).toMatchObject({ uid: second.metadata.uid, finalizers: [claim.finalizer] });
  });

  test("gone is gone, for removal and deletion alike", async () => {
    const object = await aConfigMap("vanished", { annotations: { [claim.stamp]: claim.owner } });
    await write.remove(targetOf(ConfigMap, object), signal);
    const target = { ...targetOf(ConfigMap, object), seen: { finalizers: [claim.finalizer] } };
    expect(await write.removeFinalizer(target, claim, "off", signal)).toBe("gone");
    expect(await write.remove(target, signal)).toBe("gone");
  });

  test("what is being deleted takes no new finalizer, seen or not, and still loses ours", async () => {
    const object = await aConfigMap("deleting", { finalizers: ["a.example/one"] });
    await write.remove(targetOf(ConfigMap, object), signal);
    await expect(write.addFinalizer(ConfigMap, object, claim, signal)).rejects.toMatchObject({
      class: "gone",
      code: "Deleting",
    });
    const held = await aConfigMap("deleting-held", { finalizers: [claim.finalizer] });
    await write.remove(targetOf(ConfigMap, held), signal);
    expect(await write.removeFinalizer(targetOf(ConfigMap, held), claim, "off", signal)).toBe("removed");
    expect(await now(held)).toBeUndefined();
  });
});

test("a second creation is told apart from other conflicts", async () => {
  await aConfigMap("twice");
  await expect(aConfigMap("twice")).rejects.toMatchObject({ class: "conflict", code: "AlreadyExists" });
});
