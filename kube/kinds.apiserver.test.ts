// Kinds on a real API server: which version is served, absence, a CRD that comes and goes, statuses and events beside them.
import { beforeAll, describe, expect, inject, test } from "vitest";
import { patient } from "#test/support/patient.ts";
import type { KnownError } from "#wire/errors.ts";
import { afterUninstall } from "#wire/fence.ts";
import { connect, type Connection } from "./connection.ts";
import { crdState } from "./crd.ts";
import { served } from "./discovery.ts";
import { emit } from "./event.ts";
import { targetOf, type Kind, type KubeObject } from "./kind.ts";
import * as kinds from "./kinds.ts";
import { reader, type Reader } from "./reader.ts";
import { applyStatus } from "./status.ts";
import { writer, type Writer } from "./writer.ts";

const { signal } = new AbortController();
const namespace = "kinds-test";

let admin: Connection;
let read: Reader;
let write: Writer;

beforeAll(async () => {
  admin = patient(await connect({ kubeconfig: inject("kubeconfig") }));
  read = reader(admin);
  write = writer(admin, afterUninstall(signal));
  await write.create(kinds.Namespace, { metadata: { name: namespace } }, signal);
  return async () => await admin[Symbol.asyncDispose]();
});

async function failureOf(work: Promise<unknown>): Promise<KnownError> {
  try {
    await work;
  } catch (error) {
    return error as KnownError;
  }
  throw new Error("expected a failure");
}

describe("kinds", () => {
  test("the best served version is found; a group that is not there is absent; a version we do not know is an error", async () => {
    expect(await served(admin, kinds.Ingress, signal)).toBe("v1");
    expect(await served(admin, kinds.TLSRoute, signal)).toBe("absent");
    const future: Kind = { ...kinds.Ingress, versions: ["v1beta1"] };
    expect(await failureOf(served(admin, future, signal))).toMatchObject({ class: "invalid", code: "UnknownVersion" });
  });

  test("an absent kind has no objects, no pages and no CRD", async () => {
    const pages: unknown[] = [];
    for await (const page of read.pages(kinds.TCPRoute, {}, signal)) pages.push(page);
    expect(pages).toEqual([]);
    expect(await read.get(kinds.TCPRoute, { name: "a", namespace }, signal)).toBeUndefined();
    expect(await crdState(read, kinds.TCPRoute, signal)).toBe("absent");
  });

  test("a CRD is there, then terminating while an object of it holds on, then absent", async () => {
    const Widget: Kind = {
      group: "test.example.com",
      versions: ["v1"],
      kind: "Widget",
      plural: "widgets",
      namespaced: true,
    };
    const at = { name: "widgets.test.example.com" };
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const versions = [{ name: "v1", served: true, storage: true, schema, subresources: { status: {} } }];
    const names = { kind: "Widget", plural: "widgets", singular: "widget", listKind: "WidgetList" };
    const spec = { group: Widget.group, scope: "Namespaced", names, versions };
    const crd = { metadata: at, spec } as kinds.CustomResourceDefinitionObject;
    const made = await write.create(kinds.CustomResourceDefinition, crd, signal);
    const eventually = { interval: 100 };
    const metadata = { name: "one", namespace, finalizers: ["a.example/holds"] };
    const widget = await expect
      .poll(async () => await write.create(Widget, { metadata }, signal).catch(() => undefined), eventually)
      .toBeDefined()
      .then(async () => await read.get(Widget, { name: "one", namespace }, signal));
    expect(await crdState(read, Widget, signal)).toBe("there");
    await statusStories(Widget, widget as KubeObject);
    await write.remove(targetOf(kinds.CustomResourceDefinition, made), signal);
    expect(await crdState(read, Widget, signal)).toBe("terminating");
    // A kind that is going takes no new object, as soon as the server has heard of it, but lets a finalizer go.
    let tries = 0;
    const trial = async (): Promise<string> =>
      await write.create(Widget, { metadata: { name: `late-${(tries += 1)}`, namespace } }, signal).then(
        () => "taken",
        (error: KnownError) => error.class,
      );
    await expect.poll(trial, eventually).toBe("invalid");
    const claim = { finalizer: "a.example/holds", finalizers: ["a.example/holds"], stamp: "x", owner: "y" };
    expect(await write.removeFinalizer(targetOf(Widget, widget as KubeObject), claim, "off", signal)).toBe("removed");
    await expect.poll(async () => await crdState(read, Widget, signal), eventually).toBe("absent");
  });

  async function statusStories(Widget: Kind, widget: KubeObject): Promise<void> {
    const at = { name: "one", namespace, uid: widget.metadata.uid };
    await applyStatus(admin, Widget, at, { ours: { a: 1, b: 2 } }, "ours", signal);
    await applyStatus(admin, Widget, at, { theirs: 1 }, "theirs", signal);
    const after = await applyStatus(admin, Widget, at, { ours: { a: 3 } }, "ours", signal);
    expect(after).toMatchObject({ status: { ours: { a: 3 }, theirs: 1 } });
    expect(JSON.stringify(after)).not.toContain('"b":2');
    const namesake = applyStatus(
      admin,
      Widget,
      { ...at, uid: "3c9fdb9e-12c4-4f89-942e-80a02d8a618b" },
      {},
      "ours",
      signal,
    );
    expect(await failureOf(namesake)).toMatchObject({ class: "conflict" });
    expect(await read.get(Widget, at, signal)).not.toHaveProperty("status.ours");
    const nobody = applyStatus(admin, Widget, { name: "nobody", namespace }, {}, "ours", signal);
    expect(await failureOf(nobody)).toMatchObject({ class: "gone" });
  }
});

describe("events", () => {
  test("told again are counted in one series, and a failure to tell hurts nobody", async () => {
    const regarding = await write.create(kinds.ConfigMap, { metadata: { name: "told", namespace } }, signal);
    const event = {
      regarding,
      type: "Normal",
      reason: "Drained",
      action: "Drain",
      note: "freed",
      controller: "drain",
    } as const;
    expect(await emit(admin, event, signal)).toBe("told");
    expect(await emit(admin, event, signal)).toBe("told");
    expect(await emit(admin, { ...event, count: 7 }, signal)).toBe("told");
    expect(await emit(admin, { ...event, note: "other" }, signal)).toBe("told");
    const found: kinds.EventObject[] = [];
    for await (const page of read.pages(kinds.Event, { namespace }, signal)) found.push(...page.items);
    const counts = Object.fromEntries(found.map(({ note, series }) => [note, series?.count]));
    expect(counts).toEqual({ freed: 7, other: undefined });
    const nobody = new AbortController();
    nobody.abort(new Error("stopped"));
    expect(await emit(admin, event, nobody.signal)).toBe("lost");
  });
});
