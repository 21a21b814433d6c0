// Domains from a host name to a certificate, and those that were there before us, on a real API server and ngrok's wire.
import { expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { ADOPTED, DRAIN_OWNER, FINALIZER, KEPT_WITH } from "#api/keys.ts";
import { targetOf } from "#kube/kind.ts";
import { Namespace } from "#kube/kinds.ts";
import { pointerStep } from "#kube/paths.ts";
import { applyStatus } from "#kube/status.ts";
import { aDomain } from "#test/support/builders.ts";
import { aPerson } from "#test/support/person.ts";
import { condition, isReady, startWorld } from "#test/support/world.ts";
import { domainController } from "./controller.ts";

const controllers = [domainController];
const host = "web.ngrok.app";
const domain = aDomain({ metadata: { name: "web" }, spec: { domain: host } });
const metadata = domain.spec.metadata as string;

test("a host is reserved by one POST and its state shown", async () => {
  await using world = await startWorld({ controllers });
  await world.create(Domain, domain);
  const ready = await world.until(Domain, "web", isReady);
  expect(ready.metadata.finalizers).toEqual([FINALIZER]);
  expect(ready.status).toMatchObject({ domain: host });
  expect(condition(ready, "CertificateReady")).toBe("True NgrokManaged");
  expect(condition(ready, "DNSConfigured")).toBe("True NgrokManaged");
  await world.quiet();
  expect(
    world.api.ledger
      .entries()
      .filter(({ path }) => path.startsWith("/reserved_domains"))
      .map(({ method }) => method),
  ).toEqual(["POST"]);
});

test("a host that carries our metadata is taken up again: an earlier life of the object reserved it", async () => {
  await using world = await startWorld({ controllers });
  const id = await world.api.add("reserved_domains", {
    domain: host,
    description: "Created by ngrok-operator",
    metadata,
  });
  await world.create(Domain, domain);
  const ready = await world.until(Domain, "web", isReady);
  expect(ready.status?.id).toBe(id);
  expect(ready.metadata.annotations?.[ADOPTED]).toBeUndefined();

  await world.remove(Domain, "web");
  await world.gone(Domain, "web");
  expect(world.api.objects("reserved_domains")).toEqual([]);
});

test("a host that somebody else reserved is used and marked, keeps its words, and stays when the object goes (F17)", async () => {
  await using world = await startWorld({ controllers });
  const id = await world.api.add("reserved_domains", { domain: host, description: "by hand", metadata: "mine" });
  await world.create(Domain, domain);
  const ready = await world.until(Domain, "web", isReady);
  expect(ready.status?.id).toBe(id);
  expect(ready.metadata.annotations?.[ADOPTED]).toBe("true");
  await world.quiet();
  expect(world.api.count("GET", `/reserved_domains/${id}`)).toBe(0);

  await world.remove(Domain, "web");
  await world.gone(Domain, "web");
  expect(world.api.objects("reserved_domains")).toMatchObject([{ id, description: "by hand", metadata: "mine" }]);
});

test("a person who says that it is ours to give back is not believed, neither in the manifest nor when it is applied again (F17)", async () => {
  await using world = await startWorld({ controllers });
  const theirs = { description: "by hand", metadata: "mine" };
  const id = await world.api.add("reserved_domains", { domain: host, ...theirs });
  const person = aPerson(world);
  await person.create(Domain, { ...domain, metadata: { name: "web", annotations: { [ADOPTED]: "false" } } });
  const ready = await world.until(Domain, "web", isReady);
  expect(ready.metadata.annotations?.[ADOPTED]).toBe("true");

  await person.edit(Domain, "web", `/metadata/annotations/${pointerStep(ADOPTED)}`, "false");
  await world.touch(Domain, "web", "/spec/description", "ours");
  await world.until(Domain, "web", ({ status }) => status?.observedGeneration === 2);
  await world.remove(Domain, "web");
  await world.gone(Domain, "web");
  expect(world.api.objects("reserved_domains")).toMatchObject([{ id, ...theirs }]);
});

test("once the stranger has given it back and we have reserved it, it is ours: it gets our words and goes with the object", async () => {
  await using world = await startWorld({ controllers });
  const id = await world.api.add("reserved_domains", { domain: host, description: "by hand", metadata: "mine" });
  await world.create(Domain, domain);
  await world.until(Domain, "web", isReady);
  await world.touch(Domain, "web", `/metadata/annotations/${pointerStep(KEPT_WITH)}`, "shop/web");
  world.api.reset();
  await world.touch(Domain, "web", "/spec/description", "ours");
  const ours = await world.until(Domain, "web", ({ status }) => ![undefined, id].includes(status?.id));
  expect(ours.metadata.annotations).toEqual({ [DRAIN_OWNER]: `${world.namespace}/ngrok` });

  await world.touch(Domain, "web", "/spec/description", "still ours");
  await expect
    .poll(() => world.api.objects("reserved_domains"))
    .toMatchObject([{ id: ours.status?.id, description: "still ours" }]);
  await world.remove(Domain, "web");
  await world.gone(Domain, "web");
  expect(world.api.objects("reserved_domains")).toEqual([]);
});

test("a host that the account has is used, though the account may have no more domains", async () => {
  await using world = await startWorld({ controllers });
  const id = await world.api.add("reserved_domains", { domain: host, description: "by hand", metadata: "mine" });
  world.api.faults.add({ kind: "status", status: 403, code: 316, match: { method: "POST" }, times: Infinity });
  await world.create(Domain, domain);
  expect((await world.until(Domain, "web", isReady)).status?.id).toBe(id);

  await world.create(Domain, {
    ...domain,
    metadata: { name: "new" },
    spec: { ...domain.spec, domain: "new.ngrok.app" },
  });
  const refused = await world.until(Domain, "new", (one) => condition(one, "Ready") !== undefined);
  expect(refused.status?.conditions?.find(({ type }) => type === "Ready")?.message).toContain("ERR_NGROK_316");
});

test("a reservation that somebody took away at ngrok is made anew once a person annotates the object", async () => {
  await using world = await startWorld({ controllers });
  await world.create(Domain, domain);
  const before = await world.until(Domain, "web", isReady);
  await world.quiet();
  world.api.reset();
  await world.touch(Domain, "web", "/metadata/annotations/look", "again");
  const after = await world.until(Domain, "web", ({ status }) => ![undefined, before.status?.id].includes(status?.id));
  expect(world.api.objects("reserved_domains")).toMatchObject([{ id: after.status?.id }]);
  await world.quiet();
  const asked = world.api.ledger.entries().filter(({ path }) => path.startsWith("/reserved_domains"));
  expect(asked.map(({ method }) => method)).toEqual(["GET", "POST"]);
});

test("two Domains of one host share the reservation, and the last one gives it back", async () => {
  await using world = await startWorld({ controllers });
  await world.create(Domain, domain);
  const first = await world.until(Domain, "web", isReady);
  await world.create(Domain, { ...domain, metadata: { name: "again" } });
  const second = await world.until(Domain, "again", isReady);
  expect(second.status?.id).toBe(first.status?.id);
  expect(second.metadata.annotations?.[ADOPTED]).toBeUndefined();

  await world.remove(Domain, "web");
  await world.gone(Domain, "web");
  expect(world.api.objects("reserved_domains")).toHaveLength(1);
  const why = `Domain ${world.namespace}/again stands for it as well`;
  // The object is gone a moment before its line is written.
  const line = expect.objectContaining({ msg: "deleted", remote: "kept", why });
  await expect.poll(() => world.manager.log).toContainEqual(line);

  await world.remove(Domain, "again");
  await world.gone(Domain, "again");
  expect(world.api.objects("reserved_domains")).toEqual([]);
});

test("two Domains of one host that go at once give the reservation back", async () => {
  await using world = await startWorld({ controllers });
  await world.create(Domain, domain);
  await world.create(Domain, { ...domain, metadata: { name: "again" } });
  await Promise.all([world.until(Domain, "web", isReady), world.until(Domain, "again", isReady)]);
  await Promise.all([world.remove(Domain, "web"), world.remove(Domain, "again")]);
  await Promise.all([world.gone(Domain, "web"), world.gone(Domain, "again")]);
  expect(world.api.objects("reserved_domains")).toEqual([]);
});

test("one that an earlier release has taken for a stranger's gives it back when it is the last", async () => {
  await using world = await startWorld({ controllers });
  await world.create(Domain, domain);
  await world.until(Domain, "web", isReady);
  await world.create(Domain, { ...domain, metadata: { name: "again" } });
  await world.until(Domain, "again", isReady);
  await world.touch(Domain, "again", `/metadata/annotations/${ADOPTED.replace("/", "~1")}`, "true");
  await world.remove(Domain, "web");
  await world.gone(Domain, "web");
  expect((await world.get(Domain, "again"))?.metadata.annotations?.[ADOPTED]).toBe("false");
  await world.remove(Domain, "again");
  await world.gone(Domain, "again");
  expect(world.api.objects("reserved_domains")).toEqual([]);
});

test("a reservation stays for another install's Domain, be it outside of the watched namespace", async () => {
  await using world = await startWorld({ controllers });
  await world.create(Domain, domain);
  const { id } = (await world.until(Domain, "web", isReady)).status ?? {};
  const elsewhere = `${world.namespace}-b`;
  const { signal } = new AbortController();
  const beside = await world.write.create(Namespace, { metadata: { name: elsewhere } }, signal);
  const annotations = { [DRAIN_OWNER]: "team/ngrok" };
  const theirs = await world.write.create(
    Domain,
    { ...domain, metadata: { name: "theirs", namespace: elsewhere, annotations } },
    signal,
  );
  await applyStatus(world.connection, Domain, theirs.metadata, { id }, "test", signal);
  await world.remove(Domain, "web");
  await world.gone(Domain, "web");
  expect(world.api.objects("reserved_domains")).toMatchObject([{ id }]);
  await world.write.remove(targetOf(Namespace, beside), signal);
});

test("a Domain that is made while ngrok gives its host back waits for that, and reserves it anew", async () => {
  await using world = await startWorld({ controllers });
  await world.create(Domain, domain);
  await world.until(Domain, "web", isReady);
  const slow = world.api.faults.add({ kind: "latency", ms: 700, match: { method: "DELETE" } });
  await world.remove(Domain, "web");
  await expect.poll(() => slow.hits).toBe(1);
  await world.create(Domain, { ...domain, metadata: { name: "again" } });
  await world.gone(Domain, "web");
  const again = await world.until(Domain, "again", isReady);
  expect(world.api.objects("reserved_domains")).toMatchObject([{ id: again.status?.id }]);
});

test("a Domain that is made while another of its host is going has its host in the end, and gives it back", async () => {
  await using world = await startWorld({ controllers });
  await world.create(Domain, domain);
  await world.until(Domain, "web", isReady);
  world.api.faults.add({ kind: "status", status: 409, code: 446, match: { method: "DELETE" }, times: 2 });
  await world.remove(Domain, "web");
  await world.create(Domain, { ...domain, metadata: { name: "again" }, spec: { ...domain.spec, metadata: "others" } });
  await world.gone(Domain, "web");
  const again = await world.until(Domain, "again", isReady);
  expect(world.api.objects("reserved_domains")).toMatchObject([{ id: again.status?.id }]);
  world.api.faults.clear();
  await world.remove(Domain, "again");
  await world.gone(Domain, "again");
  expect(world.api.objects("reserved_domains")).toEqual([]);
});

test("a reservation that is gone at ngrok is made anew, and shown no more until it is", async () => {
  await using world = await startWorld({ controllers });
  await world.create(Domain, domain);
  const before = await world.until(Domain, "web", isReady);
  await world.manager.stop();
  world.api.reset();
  world.api.faults.add({ kind: "status", status: 503, match: { method: "POST" }, times: 2 });

  world.start();

  const failing = await world.until(Domain, "web", (one) => condition(one, "Ready") === "False DomainCreationFailed");
  expect(failing.status?.id).toBeUndefined();
  const after = await world.until(Domain, "web", isReady);
  expect(after.status?.id).not.toBe(before.status?.id);
  expect(world.api.objects("reserved_domains")).toMatchObject([{ id: after.status?.id }]);
});

test("reclaimPolicy Retain keeps the reservation when the object goes", async () => {
  await using world = await startWorld({ controllers });
  await world.create(Domain, { ...domain, spec: { ...domain.spec, reclaimPolicy: "Retain" } });
  await world.until(Domain, "web", isReady);
  await world.remove(Domain, "web");
  await world.gone(Domain, "web");
  expect(world.api.objects("reserved_domains")).toHaveLength(1);
});

test("a name of .internal needs no reservation: it says so, holds no finalizer and asks ngrok nothing", async () => {
  await using world = await startWorld({ controllers });
  await world.create(Domain, { ...domain, spec: { ...domain.spec, domain: "web.internal" } });
  const told = await world.until(Domain, "web", (one) => condition(one, "Ready") !== undefined);
  expect(condition(told, "Ready")).toBe("False DomainCreationFailed");
  expect(told.metadata.finalizers).toBeUndefined();
  await world.quiet();
  expect(world.api.count("POST", "/reserved_domains")).toBe(0);
});

test("a custom domain without a certificate says what ngrok waits for", async () => {
  await using world = await startWorld({ controllers, ngrok: { certificates: "provisioning" } });
  await world.create(Domain, { ...domain, spec: { ...domain.spec, domain: "shop.example.com" } });
  const waiting = await world.until(Domain, "web", (one) => condition(one, "Ready") !== undefined);
  expect(condition(waiting, "DomainCreated")).toBe("True DomainCreated");
  expect(condition(waiting, "Ready")).toBe("False ProvisioningError");
  expect(waiting.status?.cnameTarget).toBeTruthy();
});

test("a changed host is refused with the remedy, since ngrok cannot rename", async () => {
  await using world = await startWorld({ controllers });
  const created = await world.create(Domain, domain);
  await world.until(Domain, "web", isReady);
  const rename = [{ op: "replace" as const, path: "/spec/domain", value: "other.ngrok.app" }];
  await world.write.patch(
    Domain,
    { name: "web", namespace: world.namespace },
    created.metadata.uid ?? "",
    rename,
    AbortSignal.timeout(60_000),
  );
  const refused = await world.until(Domain, "web", (one) => condition(one, "Ready") === "False DomainInvalid");
  expect(refused.status?.conditions?.find(({ type }) => type === "Ready")?.message).toContain(
    "delete this Domain and create one for other.ngrok.app",
  );
  expect(world.api.objects("reserved_domains")).toMatchObject([{ domain: host }]);
});

test("a domain that is still in use at ngrok keeps its object, which says why, and goes when it can", async () => {
  await using world = await startWorld({ controllers });
  await world.create(Domain, domain);
  await world.until(Domain, "web", isReady);
  world.api.faults.add({ kind: "status", status: 409, code: 446, match: { method: "DELETE" }, times: 2 });
  await world.remove(Domain, "web");
  await world.gone(Domain, "web");
  expect(world.api.count("DELETE", "/reserved_domains", 409)).toBe(2);
  expect(world.api.objects("reserved_domains")).toEqual([]);
});
