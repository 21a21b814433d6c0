// What keeps a forwarder from serving, from the object to what a person reads: the leader and a real forwarder at a stand-in
// of ngrok's binding ingress. Each has its condition and its event with the remedy, and other endpoints go on.
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { BINDING_SECRET, KubernetesOperator } from "#api/kubernetes-operator.ts";
import { Event, Secret } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import type { Pair } from "#operator/forwarding/forwarder.ts";
import { withHands } from "#operator/runtime/define-replica.ts";
import { aBoundEndpoint, aKubernetesOperator } from "#test/support/builders.ts";
import { come, endOf, exchange, freePort, withEcho } from "#test/support/forwarding.ts";
import { aForwarder } from "#test/support/replica-pods.ts";
import { startReplicaOf } from "#test/support/replicas.ts";
import { condition, isReady, startWorld, type World } from "#test/support/world.ts";
import { listenerController } from "../listener/controller.ts";
import { boundEndpointController } from "./controller.ts";

const { signal } = new AbortController();

async function ground() {
  const stack = new AsyncDisposableStack();
  const forwarding = stack.use(await withEcho({ limits: { tellMs: 0 }, presents: false }));
  const world = stack.use(
    await startWorld({ controllers: [boundEndpointController], options: { features: ["bindings"] } }),
  );
  const at = { name: world.release.name, namespace: world.namespace };
  const binding = { endpointSelectors: ["true"], tlsSecretName: BINDING_SECRET };
  const operator = aKubernetesOperator({
    metadata: { name: at.name },
    spec: { enabledFeatures: ["bindings"], binding },
  });
  await world.create(KubernetesOperator, operator);
  const status = { bindingsIngressEndpoint: `localhost:${forwarding.ingress.port}` };
  await applyStatus(world.connection, KubernetesOperator, at, status, "test", signal);
  const data = dataOf(await forwarding.pair());
  await world.create(Secret, { metadata: { name: BINDING_SECRET }, type: "kubernetes.io/tls", data });
  await aForwarder(world, "forwarder-1");
  const works = [withHands(listenerController, forwarding.forwarder)];
  stack.use(startReplicaOf(world, works, { pod: "forwarder-1" }));
  return {
    world,
    forwarding,
    /** A BoundEndpoint of a Service of the world's namespace; resolves to its port. */
    async bind(service: string, endpointURL = "http://web.shop:80", wished?: number): Promise<number> {
      const port = wished ?? (await freePort());
      const target = { service, namespace: world.namespace, port: 80 };
      await world.create(
        BoundEndpoint,
        aBoundEndpoint({ metadata: { name: service }, spec: { endpointURL, port, target } }),
      );
      return port;
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}

function dataOf({ cert, key }: Pair): Record<string, string> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  return { "tls.crt": base64(cert), "tls.key": base64(key) };
}

const message = ({ status }: BoundEndpoint): string =>
  status?.conditions?.find(({ type }) => type === "Ready")?.message ?? "";

/** The condition and an event with these words, as soon as there are both. */
async function told(world: World, name: string, reason: string, words: readonly string[]): Promise<void> {
  const says = (text: string): boolean => words.every((word) => text.includes(word));
  const shown = await world.until(BoundEndpoint, name, (one) => says(message(one)));
  expect(condition(shown, "Ready")).toBe("False ConnectivityFailed");
  const events = async (): Promise<boolean> => {
    for await (const { items } of world.read.pages(Event, { namespace: world.namespace }, signal))
      for (const { type, regarding, reason: of, note } of items)
        if (type === "Warning" && of === reason && regarding.name === name && says(note)) return true;
    return false;
  };
  await expect.poll(events).toBe(true);
}

test("a port that is in use is a condition and an event with the remedy, which helps; other endpoints go on", async () => {
  await using at = await ground();
  const taken = createServer().listen(await freePort());
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const good = await at.bind("good");
  await at.bind("bad", "tcp://db.shop:5432", port);
  await told(at.world, "bad", "PortUnavailable", [`port ${port}`, "give the BoundEndpoint another spec.port"]);
  await at.world.until(BoundEndpoint, "good", isReady);
  expect(String(await exchange(good, "x"))).toBe("x");

  const other = await freePort();
  await at.world.touch(BoundEndpoint, "bad", "/spec/port", other);
  await at.world.until(BoundEndpoint, "bad", isReady);
  expect(String(await exchange(other, "y"))).toBe("y");
  await new Promise((resolve) => taken.close(resolve));
});

test("an ingress that answers garbage is a condition and an event with the remedy; other endpoints go on", async () => {
  await using at = await ground();
  const [bad, good] = [await at.bind("bad"), await at.bind("good", "tcp://db.shop:5432")];
  for (const name of ["bad", "good"]) await at.world.until(BoundEndpoint, name, isReady);
  at.forwarding.ingress.faults.add({ kind: "garbage", match: /^web/ });
  expect(await endOf(await come(bad))).toBe("reset");
  await told(at.world, "bad", "UpgradeFailed", ["cannot be read", "is ngrok's binding ingress and not something else"]);
  expect(isReady(await at.world.until(BoundEndpoint, "good", () => true))).toBe(true);
  expect(String(await exchange(good, "x"))).toBe("x");
  expect(String(await exchange(bad, "x"))).toBe("x");
  await at.world.until(BoundEndpoint, "bad", isReady);
});

test("a certificate that is none is a condition and an event with the remedy; what is open goes on with the one before", async () => {
  await using at = await ground();
  const port = await at.bind("web");
  await at.world.until(BoundEndpoint, "web", isReady);
  const [one, other] = [await at.forwarding.pair(), await at.forwarding.pair()];
  await at.world.touch(Secret, BINDING_SECRET, "/data", dataOf({ cert: one.cert, key: other.key }));
  await told(at.world, "web", "CertificateUnusable", ["do not work", "Delete the Secret"]);
  expect(String(await exchange(port, "x"))).toBe("x");
  await at.world.touch(Secret, BINDING_SECRET, "/data", dataOf(one));
  await at.world.until(BoundEndpoint, "web", isReady);
});
