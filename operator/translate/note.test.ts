// The one event of an object is cut, and what is not served at all has to stand in what is left of it.
import { expect, test } from "vitest";
import { NOTE_MAX } from "#kube/event.ts";
import { backend, ingress, translated } from "#test/support/translating.ts";
import type { Problem } from "./model.ts";
import { noteOf } from "./note.ts";

test("a path that is refused is told before six annotations that nobody reads, which fill a note", () => {
  const names = ["affinity", "backend", "canary", "default", "enabled", "forward"];
  const annotations = Object.fromEntries(names.map((name) => [`ngrok.com/nginx-${name}`, "x"]));
  const paths = [{ to: "shop" }, { path: "/cart", to: "cart" }];
  const { problems } = translated([backend("shop"), ingress("shop", { "shop.example.com": paths }, { annotations })]);
  const note = noteOf(problems);
  expect(note.length).toBeGreaterThan(NOTE_MAX);
  expect(note.slice(0, NOTE_MAX)).toMatch(/^spec\.rules\[0\]\.http\.paths\[1\]\.backend/);
  const told = [...note.matchAll(/"ngrok\.com\/nginx-(\w+)"/g)].map(([, name]) => name);
  expect(told).toEqual(names);
});

test("what is found twice is told once", () => {
  const problem: Problem = { object: "Service a/b", field: "spec", reason: "is wrong: mend it", effect: "ignored" };
  expect(noteOf([problem, { ...problem, host: "a.example.com" }])).toBe("spec: is wrong: mend it");
});
