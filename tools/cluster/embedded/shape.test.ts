// That clusters do not get in each other's way follows from how their names and addresses are made.
import { isIPv4 } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { freeSubnet, shapeOf, SLOTS, subnetOf } from "./shape.ts";

test("a cluster has the same device, cgroup and slot each time, and another name or cache has others", () => {
  const shape = shapeOf("demo", "/cache");
  expect(shape).toEqual(shapeOf("demo", "/cache"));
  expect(shape.folder).toBe("/cache/clusters/demo");
  expect(shape.device.length).toBeLessThanOrEqual(15); // the kernel's limit
  for (const other of [shapeOf("demo2", "/cache"), shapeOf("demo", "/cache2")]) {
    expect(other.device).not.toBe(shape.device);
    expect(other.cgroup).not.toBe(shape.cgroup);
    expect(other.slot).not.toBe(shape.slot);
  }
});

test.for(["", "A", "under_score", "-a", "a-", "a/b", "..", "a".repeat(41)])(
  "the name %j is refused with what is allowed",
  (name) => {
    expect(() => shapeOf(name, "/cache")).toThrow(/--name .*small letters, digits and hyphens/);
  },
);

test("every slot is a /30 of its own within 10.89.0.0/16", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: SLOTS - 1 }), fc.integer({ min: 0, max: SLOTS - 1 }), (one, other) => {
      const { hostIp, nodeIp } = subnetOf(one);
      expect(isIPv4(hostIp) && isIPv4(nodeIp) && hostIp.startsWith("10.89.")).toBe(true);
      const last = (address: string): number => Number(address.split(".")[3]);
      expect([last(hostIp) % 4, last(nodeIp) % 4]).toEqual([1, 2]);
      expect(subnetOf(other).hostIp === hostIp).toBe(one === other);
    }),
  );
});

test("a subnet that is in use is passed over, also at the end of the range", () => {
  const last = subnetOf(SLOTS - 1);
  expect(freeSubnet(SLOTS - 1, new Set())).toEqual(last);
  expect(freeSubnet(SLOTS - 1, new Set([last.nodeIp]))).toEqual(subnetOf(0));
  const all = new Set(Array.from({ length: SLOTS }, (_, slot) => subnetOf(slot).hostIp));
  expect(() => freeSubnet(7, all)).toThrow("no /30 of 10.89.0.0/16 is free");
});
