// What a rehearsal may do is what the hooks may do: its Roles are theirs on another day. Besides it looks for their room.
import { expect, test } from "vitest";
import { roomRights } from "#drain/room.ts";
import { policy } from "#scripts/generate/rbac.ts";
import { cleanupHook } from "../cleanup/hook.ts";
import { drainHook } from "../drain/hook.ts";
import { rehearsalHook } from "./hook.ts";

test("in the watched namespace both hooks may the same, so that the drain hook's Role there is the rehearsal's too", () => {
  const [drain, cleanup, rehearsal] = [drainHook, cleanupHook, rehearsalHook].map(({ rbac }) =>
    policy(rbac, ["watch"]),
  );
  expect(rehearsal).toEqual(drain);
  expect(cleanup).toEqual(drain);
});

test("a rehearsal has each right of the drain and of the cleanup hook, reads quotas and ranges, and no more", () => {
  expect(new Set(rehearsalHook.rbac)).toEqual(new Set([...drainHook.rbac, ...cleanupHook.rbac, ...roomRights]));
  expect(new Set(rehearsalHook.rbac).size).toBe(rehearsalHook.rbac.length);
});
