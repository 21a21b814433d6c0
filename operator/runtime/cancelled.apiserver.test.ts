// What a drain has shown on the KubernetesOperator, once it is cancelled: an operator that is open looks open, in kubectl and
// in `ngrok-drain status`.
import { expect, test } from "vitest";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { newReport } from "#drain/report.ts";
import { teller } from "#drain/tell.ts";
import { hookDrives } from "#test/support/hook-drives.ts";
import { condition, isReady, startWorld, type World } from "#test/support/world.ts";
import { systemClock } from "#wire/clock.ts";
import { kubernetesOperatorController } from "../controllers/kubernetes-operator/controller.ts";

const { signal } = new AbortController();

/** A hook drains, shows it, and is cancelled in the middle; `wish` is the policy that stands beside the Open. */
async function drainsAndIsCancelled(world: World, wish: "Retain" | "Delete"): Promise<void> {
  await using _hook = await hookDrives(world);
  const tell = teller(
    { connection: world.connection, read: world.read, clock: systemClock },
    world.release,
    "hook",
    () => "Retain",
    signal,
  );
  await tell.sealed({ ...newReport(3), total: 3, done: 1 });
  const shown = await world.get(KubernetesOperator, "ngrok");
  expect([condition(shown!, "Draining"), shown?.status?.drain?.phase]).toEqual(["True DrainInProgress", "Draining"]);
  await world.mark("Open", { policy: wish });
}

const looksOpen = (operator: KubernetesOperator): boolean =>
  isReady(operator) && condition(operator, "Draining") === undefined && operator.status?.drain?.phase === undefined;

test("a drain that was cancelled is taken back from the KubernetesOperator once, and then nothing more is written (F7)", async () => {
  await using world = await startWorld({ controllers: [kubernetesOperatorController], start: false });
  const takenBack: unknown[] = [];
  world.start({
    intercept({ path, body }) {
      const { status } = (body ?? {}) as { status?: { drain?: unknown } };
      if (path.endsWith("/kubernetesoperators/ngrok/status") && status?.drain === null) takenBack.push(status);
      return undefined;
    },
  });
  await world.until(KubernetesOperator, "ngrok", isReady);
  await world.quiet();
  // Whose drain never was has nothing to take back.
  expect(takenBack).toEqual([]);
  await drainsAndIsCancelled(world, "Delete");
  const { status } = await world.until(KubernetesOperator, "ngrok", looksOpen);
  expect(status?.drain).toBeUndefined();
  // Once more where the controller's own word came between the look and the write, which is refused then.
  expect([1, 2]).toContain(takenBack.length);
  const settled = takenBack.length;
  await world.touch(KubernetesOperator, "ngrok", "/metadata/annotations", { looked: "at" });
  await world.quiet();
  expect(takenBack.length).toBe(settled);
});

test("a wish for Retain outlives the drain that is taken back, and one of before it goes with it (F8)", async () => {
  await using world = await startWorld({ controllers: [kubernetesOperatorController] });
  await world.until(KubernetesOperator, "ngrok", isReady);
  const isWished = (one: KubernetesOperator): boolean => one.status?.drain?.policy === "Retain";
  await world.mark("Open", { policy: "Retain" });
  await world.until(KubernetesOperator, "ngrok", isWished);
  await drainsAndIsCancelled(world, "Retain");
  await world.until(KubernetesOperator, "ngrok", (one) => looksOpen(one) && isWished(one));
  await drainsAndIsCancelled(world, "Delete");
  const { status } = await world.until(KubernetesOperator, "ngrok", (one) => looksOpen(one) && !isWished(one));
  expect(status?.drain).toBeUndefined();
});
