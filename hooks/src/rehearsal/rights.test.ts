// What a rehearsal may do is what the hooks may do, no more and no less: its Roles are theirs on another day.
import { expect, test } from "vitest";
import { cleanupHook } from "../cleanup/hook.ts";
import { drainHook } from "../drain/hook.ts";
import { rehearsalHook } from "./hook.ts";

test("a rehearsal has each right of the drain and of the cleanup hook, and no other", () => {
  expect(new Set(rehearsalHook.rbac)).toEqual(new Set([...drainHook.rbac, ...cleanupHook.rbac]));
  expect(new Set(rehearsalHook.rbac).size).toBe(rehearsalHook.rbac.length);
});
