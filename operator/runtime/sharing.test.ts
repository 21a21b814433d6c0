// Equal parts of many objects are one part, and nothing of what was put in is lost or changed.
import { expect, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { nested } from "#test/support/nested.ts";
import { Sharing } from "./sharing.ts";

const conditions = [{ type: "Ready", status: "True", reason: "Active", message: "it is ready" }];

function anEndpoint(n: number): KubeObject & { status: { conditions: unknown }; spec: { bindings: unknown } } {
  const metadata = { name: `web-${n}`, uid: `uid-${n}`, finalizers: ["k8s.ngrok.com/finalizer"] };
  // As two answers of a server have them: equal, but not the same.
  const whole = {
    ...aCloudEndpoint({ metadata, spec: { bindings: ["public"] } }),
    status: { id: `ep_${n}`, conditions },
  };
  // The builder's type says less than it has been given.
  return structuredClone(whole) as never;
}

test("what two objects say alike is held once, and each still reads as it came", () => {
  const sharing = new Sharing();
  const [one, two] = [sharing.of(anEndpoint(1)), sharing.of(anEndpoint(2))];
  expect(one).toEqual(anEndpoint(1));
  expect(two).toEqual(anEndpoint(2));
  expect(two.status.conditions).toBe(one.status.conditions);
  expect(two.metadata.finalizers).toBe(one.metadata.finalizers);
  expect(two.spec.bindings).toBe(one.spec.bindings);
});

test("nobody can change one object through another", () => {
  const { status } = new Sharing().of(anEndpoint(1));
  expect(() => (status.conditions as { status: string }[]).pop()).toThrow(TypeError);
  expect(() => ((status.conditions as { status: string }[])[0]!.status = "False")).toThrow(TypeError);
});

test("a text and an object that reads like it stay two things", () => {
  const sharing = new Sharing();
  const text = sharing.of({ metadata: { name: "a" }, spec: { metadata: '{"a":1}' } } as KubeObject);
  const map = sharing.of({ metadata: { name: "b" }, spec: { metadata: { a: 1 } } } as unknown as KubeObject);
  expect([text, map]).toEqual([
    { metadata: { name: "a" }, spec: { metadata: '{"a":1}' } },
    { metadata: { name: "b" }, spec: { metadata: { a: 1 } } },
  ]);
});

test("what is met all the time stays shared while thousands of other values pass", () => {
  const sharing = new Sharing();
  const first = sharing.of(anEndpoint(0));
  let last = first;
  for (let n = 1; n < 2_000; n += 1) last = sharing.of(anEndpoint(n));
  expect(last.status.conditions).toBe(first.status.conditions);
});

test("what is nested deeper than a walk can go is taken as it came, and its neighbours are shared as ever", () => {
  const sharing = new Sharing();
  const deep = (n: number) => ({
    ...anEndpoint(n),
    spec: { bindings: ["public"], policy: nested(), list: [nested()] },
  });
  const [came, first] = [deep(1), sharing.of(anEndpoint(0))];
  const shared = sharing.of(came);
  expect(shared.spec.policy).toBe(came.spec.policy);
  expect(shared.spec.list).toBe(came.spec.list);
  expect(shared.spec.bindings).toBe(first.spec.bindings);
});
