// The drain's contract with every controller: while the state is not Open it writes nothing and asks ngrok nothing.
import { test } from "vitest";
import { isOwnKind, type OwnObject } from "#api/define-kind.ts";
import { controllerLabels, FINALIZERS } from "#api/keys.ts";
import type { KubeObject } from "#kube/kind.ts";
import { everyController, type Sampled } from "#test/support/every.ts";
import { hookDrives, PATIENT } from "#test/support/hook-drives.ts";
import { isReady, startWorld, type WorldOptions } from "#test/support/world.ts";

const closed: readonly { drain: NonNullable<WorldOptions["drain"]> }[] = [
  { drain: "Draining" },
  { drain: "Drained" },
  { drain: "absent" },
];
/** Of users' objects, which show nothing before others have acted, routing-gate.apiserver.test.ts tells. */
const ours = everyController.filter(({ controller }) => isOwnKind(controller.kind));
const cases = ours.flatMap((one) => closed.map(({ drain }) => ({ ...one, drain })));

test.for(cases)(
  "$name does nothing while the drain state is $drain (W2, W6)",
  async ({ controller, sample, drain }, { expect }) => {
    await using world = await startWorld({
      controllers: [controller],
      options: featuresOf(controller),
      drain,
      timing: PATIENT,
    });
    await world.create(controller.kind, sample());
    await world.quiet();
    const object = await world.get(controller.kind, sample().metadata.name);
    expect(object?.metadata.finalizers?.filter((one) => FINALIZERS.includes(one)) ?? []).toEqual([]);
    expect(statusOf(object)).toEqual({});
    expect(world.manager.writes).toEqual([]);
    expect(world.api.ledger.entries().filter(({ path }) => path !== "/api_keys")).toEqual([]);
  },
);

test.for(ours)("$name goes on once the state is Open again", async ({ controller, sample, others }, { expect }) => {
  const options = featuresOf(controller);
  await using world = await startWorld({ controllers: [controller], options, start: false });
  const hook = await hookDrives(world);
  world.start();
  await world.create(controller.kind, sample());
  await others?.(world);
  await world.quiet();
  await world.mark("Open", { policy: "", driver: "", by: "", since: "" });
  await hook[Symbol.asyncDispose]();
  const after = await world.until(controller.kind, sample().metadata.name, isReady);
  expect(statusOf(after).conditions?.find(({ type }) => type === "Ready")?.status).toBe("True");
});

/** What controllers generate. */
const generated = ours.filter(({ name }) => ["cloud-endpoint", "agent-endpoint", "domain"].includes(name));

test.for(generated)(
  "$name leaves to another install what that has generated, also while its stamp has not come (F18)",
  async ({ controller, sample }, { expect }) => {
    await using world = await startWorld({ controllers: [controller], options: featuresOf(controller) });
    const { metadata, ...rest } = sample();
    const theirs = { ...metadata, name: "theirs", labels: controllerLabels("elsewhere", "their-manager") };
    await world.create(controller.kind, { ...rest, metadata: theirs });
    await world.create(controller.kind, sample());
    await world.until(controller.kind, metadata.name, ({ metadata: { finalizers } }) => (finalizers ?? []).length > 0);
    await world.quiet();
    const { annotations, finalizers } = (await world.get(controller.kind, "theirs"))?.metadata ?? {};
    expect({ annotations, finalizers }).toEqual({ annotations: undefined, finalizers: undefined });
  },
);

function featuresOf({ when = "ingress" }: Sampled["controller"]): NonNullable<WorldOptions["options"]> {
  return { features: [when] };
}

/** What the API server gives a status by itself says nothing. */
function statusOf(object: KubeObject | undefined): NonNullable<OwnObject["status"]> {
  const { status } = (object ?? {}) as OwnObject;
  return JSON.stringify(status ?? {}) === '{"loadBalancer":{}}' ? {} : (status ?? {});
}
