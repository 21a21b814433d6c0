// From an endpoint at ngrok to a pod's request that reaches it: what the api-manager and the forwarder do together, with
// nothing set by hand. Of ngrok are the API and the binding ingress, which trust one authority.
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { Service } from "#kube/kinds.ts";
import { bindingPollerController } from "#operator/controllers/binding-poller/controller.ts";
import { boundEndpointController } from "#operator/controllers/bound-endpoint/controller.ts";
import { kubernetesOperatorController } from "#operator/controllers/kubernetes-operator/controller.ts";
import { listenerController } from "#operator/controllers/listener/controller.ts";
import { Forwarder, LIMITS } from "#operator/forwarding/forwarder.ts";
import { withHands } from "#operator/runtime/define-replica.ts";
import { openLog } from "#operator/runtime/log.ts";
import { come, isOpen } from "#test/support/forwarding.ts";
import { createAuthority } from "#test/support/ngrok-api/certificates.ts";
import { httpAnswer } from "#test/support/ngrok-bindings/http-answer.ts";
import { startNgrokBindings } from "#test/support/ngrok-bindings/ingress.ts";
import { aForwarder } from "#test/support/replica-pods.ts";
import { startReplicaOf } from "#test/support/replicas.ts";
import { startWorld } from "#test/support/world.ts";
import { systemClock as clock } from "#wire/clock.ts";

const bindings = { endpointSelectors: ["true"], serviceAnnotations: {}, serviceLabels: {}, ingressEndpoint: "" };
const { signal } = new AbortController();

async function request(port: number): Promise<string> {
  const socket = await come(port);
  socket.write("GET /hello HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n");
  const text = String(await buffer(socket));
  socket.destroy();
  return text;
}

test("an endpoint with the binding is reached by a pod, and its port is closed when it goes at ngrok", async () => {
  const authority = await createAuthority(90);
  await using ingress = await startNgrokBindings({ clientCa: authority.certificate, endpoints: () => httpAnswer });
  await using world = await startWorld({
    controllers: [kubernetesOperatorController, bindingPollerController, boundEndpointController],
    options: { features: ["bindings"], bindings },
    ngrok: { authority, ingressEndpoint: ingress.address },
  });
  const log = openLog({ level: "error", encoder: "json", secrets: [] }, { write: () => undefined });
  const forwarder = new Forwarder({ limits: LIMITS, clock, log, ca: [ingress.ca] });
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => await forwarder.stop(0));
  await aForwarder(world, "forwarder-1");
  stack.use(startReplicaOf(world, [withHands(listenerController, forwarder)], { pod: "forwarder-1" }));

  const url = `http://web.${world.namespace}:80`;
  const id = await world.api.add("endpoints", { type: "cloud", url, bindings: ["kubernetes"] });
  const made = async (): Promise<BoundEndpoint | undefined> => {
    for await (const { items } of world.read.pages(BoundEndpoint, { namespace: world.namespace }, signal))
      return items[0];
    return undefined;
  };
  await expect
    .poll(async () => (await made())?.status?.replicas?.map(({ reason }) => reason), { timeout: 180_000 })
    .toEqual(["Listening"]);
  const bound = await made();
  const port = bound?.spec.port ?? 0;
  expect(await request(port)).toContain(`"endpoint":"web.${world.namespace}:80"`);
  const front = await world.get(Service, bound?.metadata.name ?? "");
  expect(front?.spec?.ports?.map(({ targetPort }) => targetPort)).toEqual([port]);

  const path = `${world.api.url}/endpoints/${id}`;
  await fetch(path, { method: "DELETE", headers: { authorization: "Bearer test-key", "ngrok-version": "2" } });
  await expect.poll(made, { timeout: 180_000 }).toBeUndefined();
  await expect.poll(async () => await isOpen(port)).toBe(false);
});
