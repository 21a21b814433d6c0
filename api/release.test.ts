import fc from "fast-check";
import { expect, test } from "vitest";
import { namesOf, ownerOf } from "./release.ts";

const release = { name: "edge", namespace: "ngrok-system", fullname: "edge-ngrok-operator" };

test("everything of an install is named after the chart's fullname, the KubernetesOperator after the release", () => {
  const pieces = [2, 3, 4, 5, 6, 7, 8].map((n) => [`report${n}`, `edge-ngrok-operator-drain-report-${n}`] as const);
  expect(namesOf(release)).toEqual({
    ...Object.fromEntries(pieces),
    lease: "edge-ngrok-operator-leader",
    drainState: "edge-ngrok-operator-drain-state",
    manager: "edge-ngrok-operator-manager",
    rollback: "edge-ngrok-operator-rollback",
    drainJob: "edge-ngrok-operator-drain",
    drainClusterRole: "edge-ngrok-operator-drain",
    cleanupJob: "edge-ngrok-operator-cleanup",
    report: "edge-ngrok-operator-drain-report",
    credentials: "edge-ngrok-operator-credentials",
    kubernetesOperator: "edge",
  });
  expect(ownerOf(release)).toBe("ngrok-system/edge");
});

test("names stay within what Kubernetes allows, however long the fullname, and no two are the same", () => {
  const fullname = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  fc.assert(
    fc.property(fullname, (base) => {
      const {
        kubernetesOperator: _,
        credentials,
        drainClusterRole,
        ...names
      } = namesOf({ ...release, fullname: base });
      // These names may be longer, and cut they would be another release's.
      expect([credentials, drainClusterRole]).toEqual([`${base}-credentials`, `${base}-drain`]);
      expect(new Set(Object.values(names)).size).toBe(Object.keys(names).length);
      for (const name of Object.values(names)) expect(name).toMatch(/^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/);
    }),
    { examples: [["r".repeat(63)]] },
  );
});
