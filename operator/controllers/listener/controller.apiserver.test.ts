// A forwarder as the cluster sees it: what stands in a BoundEndpoint, the KubernetesOperator and the Secret decides what is
// listened for, on a real API server, with real connections to a stand-in of ngrok's binding ingress.
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { BINDING_SECRET } from "#api/kubernetes-operator.ts";
import { refOf } from "#kube/kind.ts";
import { Event, Pod, Secret } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import { aBoundEndpoint } from "#test/support/builders.ts";
import { dataOf, entryOf, forwarderGround, POD, secretOf } from "#test/support/forwarder-ground.ts";
import { come, endOf, exchange, freePort, isOpen } from "#test/support/forwarding.ts";

const signal = new AbortController().signal;

test("a BoundEndpoint has a port in the forwarder, which says so in its entry, once, and holds the object by nothing", async () => {
  await using at = await forwarderGround();
  const port = await at.bind("web");
  expect(await at.said("web", "Listening")).toEqual({ pod: POD, observedGeneration: 1, reason: "Listening" });
  expect(String(await exchange(port, "hello"))).toBe("hello");
  const shown = await at.world.get(BoundEndpoint, "web");
  expect([shown?.metadata.finalizers, shown?.status?.conditions]).toEqual([undefined, undefined]);
  await at.change(BoundEndpoint, "web", "/spec/target/port", 8080);
  await at.world.until(BoundEndpoint, "web", (one) => entryOf(one)?.observedGeneration === 2);
  expect(at.replica.writes).toHaveLength(2);
  await at.world.remove(BoundEndpoint, "web");
  await expect.poll(async () => await isOpen(port)).toBe(false);
});

test("ngrok hears which pod asks, by its address, and with nothing but its annotations for ngrok", async () => {
  await using at = await forwarderGround();
  const pod = await at.world.create(Pod, {
    metadata: { name: "client", annotations: { "ngrok.com/tier": "gold", "vault/token": "secret" } },
    spec: { containers: [{ name: "c", image: "none" }], automountServiceAccountToken: false } as object,
  });
  const ips = { podIP: "127.0.0.77", podIPs: [{ ip: "127.0.0.77" }] };
  await applyStatus(at.world.connection, Pod, refOf(pod), { phase: "Running", ...ips }, "test", signal);
  const port = await at.bind("web");
  await at.said("web", "Listening");
  const identities = async (from: string) => {
    const socket = await come(port, "127.0.0.1", from);
    socket.write("x");
    await once(socket, "data");
    const identity = at.forwarding.ingress.connections().at(-1)?.request.pod;
    socket.destroy();
    await at.forwarding.ingress.journal.until("it ends", () => at.forwarding.ingress.connections().length === 0);
    return identity;
  };
  await expect
    .poll(async () => await identities("127.0.0.77"))
    .toEqual({
      uid: pod.metadata.uid,
      name: "client",
      namespace: at.world.namespace,
      annotations: { "ngrok.com/tier": "gold" },
    });
  expect(await identities("127.0.0.78")).toEqual({ uid: "", name: "", namespace: "", annotations: {} });
});

test("a changed URL and port hold for what comes next, and connections in flight go on", async () => {
  await using at = await forwarderGround();
  const before = await at.bind("web");
  await at.said("web", "Listening");
  const held = await come(before);
  held.write("a");
  await once(held, "data");
  const after = await freePort();
  await at.change(BoundEndpoint, "web", "/spec", {
    endpointURL: "tcp://db.shop:5432",
    port: after,
    scheme: "tcp",
    target: { service: "db", namespace: "shop", protocol: "TCP", port: 5432 },
  });
  await at.world.until(BoundEndpoint, "web", (one) => entryOf(one)?.observedGeneration === 2);
  expect(String(await exchange(after, "b"))).toBe("b");
  expect(at.forwarding.ingress.journal.count({ kind: "passed", about: "db.shop:5432" })).toBe(1);
  held.end("c");
  expect(String((await once(held, "data"))[0])).toBe("c");
  expect(await endOf(held)).toBe("end");
});

test("a renewed certificate, and another ingress, hold without a restart; connections in flight go on", async () => {
  await using at = await forwarderGround();
  const port = await at.bind("web");
  await at.said("web", "Listening");
  const held = await come(port);
  held.write("a");
  await once(held, "data");
  const shown = (): Set<string> =>
    new Set(
      at.forwarding.ingress.journal.events.flatMap((event) => (event.kind === "asked" ? [event.certificate] : [])),
    );
  await at.change(Secret, BINDING_SECRET, "/data", dataOf(await at.forwarding.pair()));
  await expect.poll(async () => (await exchange(port, "b"), shown().size)).toBe(2);
  await at.register(`127.0.0.1:${await freePort()}`);
  await expect.poll(async () => await exchange(port, "c").then(String, () => "reset")).toBe("reset");
  expect((await at.said("web", "UpgradeFailed")).message).toContain("connection refused");
  await at.register(`localhost:${at.forwarding.ingress.port}`);
  await expect.poll(async () => await exchange(port, "d").then(String, () => "reset")).toBe("d");
  await at.said("web", "Listening");
  held.end("e");
  expect(String((await once(held, "data"))[0])).toBe("e");
});

test("a port that another has is told with its remedy, others go on, and it is had once it is free", async () => {
  await using at = await forwarderGround();
  const taken = createServer().listen(0);
  await once(taken, "listening");
  await at.bind("unlucky", "http://web.shop:80", (taken.address() as { port: number }).port);
  const port = await at.bind("lucky");
  const entry = await at.said("unlucky", "PortUnavailable");
  expect(entry.message).toMatch(/port \d+ cannot be opened.*give the BoundEndpoint another spec\.port/);
  await at.said("lucky", "Listening");
  expect(String(await exchange(port, "x"))).toBe("x");
  const told = async (): Promise<boolean> => {
    for await (const { items } of at.world.read.pages(Event, { namespace: at.world.namespace }, signal))
      if (items.some(({ reason, regarding }) => reason === "PortUnavailable" && regarding.name === "unlucky"))
        return true;
    return false;
  };
  await expect.poll(told).toBe(true);
  await new Promise((resolve) => taken.close(resolve));
  await at.said("unlucky", "Listening");
});

test("two BoundEndpoints with one port: the second has it when the first goes", async () => {
  await using at = await forwarderGround();
  const port = await at.bind("first");
  await at.said("first", "Listening");
  await at.bind("second", "tcp://db.shop:5432", port);
  await at.said("second", "PortUnavailable");
  await at.world.remove(BoundEndpoint, "first");
  await at.said("second", "Listening");
  await exchange(port, "x");
  expect(at.forwarding.ingress.journal.count({ kind: "passed", about: "db.shop:5432" })).toBe(1);
});

test("nothing is listened for before the operator is registered and has its certificate; then it is, without a restart", async () => {
  await using at = await forwarderGround({ registered: false, pair: false });
  const port = await at.bind("web");
  expect((await at.said("web", "NotConfigured")).message).toContain("does not have an ingress endpoint");
  await expect(come(port)).rejects.toThrow("ECONNREFUSED");
  await at.register(`localhost:${at.forwarding.ingress.port}`);
  expect((await at.said("web", "CertificateUnusable")).message).toContain(`Secret ${BINDING_SECRET} is not there`);
  await expect(come(port)).rejects.toThrow("ECONNREFUSED");
  await at.world.create(Secret, secretOf(await at.forwarding.pair()));
  await at.said("web", "Listening");
  expect(String(await exchange(port, "x"))).toBe("x");
  // A pair that does not fit together is told, and what worked goes on.
  const [one, other] = [await at.forwarding.pair(), await at.forwarding.pair()];
  await at.change(Secret, BINDING_SECRET, "/data", dataOf({ cert: one.cert, key: other.key }));
  expect((await at.said("web", "CertificateUnusable")).message).toContain("Delete the Secret");
  expect(String(await exchange(port, "y"))).toBe("y");
  await at.register("");
  await at.said("web", "NotConfigured");
  await expect(come(port)).rejects.toThrow("ECONNREFUSED");
});

test("an ingress that answers garbage is told in the entry until a connection reaches its endpoint again", async () => {
  await using at = await forwarderGround();
  const [port, other] = [await at.bind("web"), await at.bind("db", "tcp://db.shop:5432")];
  for (const name of ["web", "db"]) await at.said(name, "Listening");
  at.forwarding.ingress.faults.add({ kind: "garbage", match: /^web/ });
  expect(await endOf(await come(port))).toBe("reset");
  expect((await at.said("web", "UpgradeFailed")).message).toContain("cannot be read");
  expect(String(await exchange(other, "x"))).toBe("x");
  expect(entryOf((await at.world.get(BoundEndpoint, "db")) as BoundEndpoint)?.reason).toBe("Listening");
  expect(String(await exchange(port, "x"))).toBe("x");
  await at.said("web", "Listening");
});

test.for(["Draining", "Drained", "absent"] as const)(
  "while the drain state is %s no port is opened and nothing is written",
  async (drain, { expect }) => {
    await using at = await forwarderGround({ drain });
    const port = await at.bind("web");
    await at.world.quiet();
    await expect(come(port)).rejects.toThrow("ECONNREFUSED");
    expect(at.replica.writes).toEqual([]);
    if (drain === "absent") return;
    await at.world.mark("Open");
    await at.said("web", "Listening");
    expect(String(await exchange(port, "x"))).toBe("x");
  },
);

test("a drain leaves open what is open, changes nothing of it, and closes what is deleted; then what is left goes on", async () => {
  await using at = await forwarderGround();
  const [stays, goes] = [await at.bind("stays"), await at.bind("goes")];
  for (const name of ["stays", "goes"]) await at.said(name, "Listening");
  await at.world.mark("Draining");
  await at.replica.closed();
  const later = await freePort();
  await at.change(BoundEndpoint, "stays", "/spec/port", later);
  const added = await at.bind("added");
  await at.world.remove(BoundEndpoint, "goes");
  await expect.poll(async () => await isOpen(goes)).toBe(false);
  await at.world.quiet();
  expect(String(await exchange(stays, "x"))).toBe("x");
  for (const port of [later, added]) await expect(come(port)).rejects.toThrow("ECONNREFUSED");
  await at.world.mark("Open");
  await at.said("added", "Listening");
  await at.world.until(BoundEndpoint, "stays", (one) => entryOf(one)?.observedGeneration === 2);
  expect(String(await exchange(later, "x"))).toBe("x");
});

test("a BoundEndpoint that is deleted while a finalizer holds it is closed at once, and again by a list alone (W9)", async () => {
  await using at = await forwarderGround();
  const port = await freePort();
  const held = aBoundEndpoint({
    metadata: { name: "held", finalizers: ["test/holds"] },
    spec: { endpointURL: "http://web.shop:80", port },
  });
  await at.world.create(BoundEndpoint, held);
  const other = await at.bind("other");
  for (const name of ["held", "other"]) await at.said(name, "Listening");
  await at.world.remove(BoundEndpoint, "held");
  await expect.poll(async () => await isOpen(port)).toBe(false);
  at.replica.cut();
  await at.world.remove(BoundEndpoint, "other");
  at.replica.mend();
  await expect.poll(async () => await isOpen(other)).toBe(false);
  await at.world.write.patch(
    BoundEndpoint,
    { name: "held", namespace: at.world.namespace },
    (await at.world.get(BoundEndpoint, "held"))?.metadata.uid ?? "",
    [{ op: "remove", path: "/metadata/finalizers" }],
    signal,
  );
});
