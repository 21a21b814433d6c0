// What the doctor prints, and which findings keep `up` from starting.
import { expect, test } from "vitest";
import { findingLines } from "./doctor.ts";
import { hierarchies } from "./embedded/cgroups.ts";
import { unmet } from "./embedded/requirements.ts";
import type { Finding } from "./provider.ts";

const findings: Finding[] = [
  { what: "root", ok: true, found: "yes", remedy: "Run it as root" },
  {
    what: "namespaces",
    ok: false,
    found: "unshare failed: Operation not permitted",
    remedy: "In a container it has to be privileged",
  },
];

test("every finding is a line, and one that does not do is followed by what to do", () => {
  expect(findingLines(findings)).toEqual([
    "ok   root        yes",
    "NOT  namespaces  unshare failed: Operation not permitted",
    "                 In a container it has to be privileged",
  ]);
});

test("up names only what does not do, with the remedy in the same line", () => {
  expect(unmet(findings)).toEqual([
    "  namespaces: unshare failed: Operation not permitted. In a container it has to be privileged",
  ]);
});

test("cgroup hierarchies of both versions are found among the mounts, wherever they are", () => {
  const mounts = [
    "proc /proc proc rw 0 0",
    "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0",
    "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0",
    "tmpfs /sys/fs/cgroup tmpfs rw 0 0",
    "",
  ].join("\n");
  expect(hierarchies(mounts)).toEqual(["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/unified"]);
});
