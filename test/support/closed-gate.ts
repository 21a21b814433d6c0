// What the gate contracts share: the states in which nothing may be written, and the look at whether anything was.
import { FINALIZERS } from "#api/keys.ts";
import { namesOf } from "#api/release.ts";
import type { Kind } from "#kube/kind.ts";
import { ConfigMap, Lease } from "#kube/kinds.ts";
import type { World } from "./world.ts";

export interface ClosedState {
  readonly name: string;
  close(world: World): Promise<void>;
  /** The pod is a new one when the events come. */
  readonly restarts: boolean;
}

const mark =
  (phase: "Draining" | "Drained") =>
  async (world: World): Promise<void> =>
    await world.mark(phase);
const forget = async (world: World): Promise<void> => await world.remove(ConfigMap, namesOf(world.release).drainState);

export const closedStates: readonly ClosedState[] = [
  { name: "Draining", close: mark("Draining"), restarts: false },
  { name: "Draining, after a restart", close: mark("Draining"), restarts: true },
  { name: "Drained", close: mark("Drained"), restarts: false },
  { name: "Drained, after a restart", close: mark("Drained"), restarts: true },
  { name: "gone", close: forget, restarts: false },
  { name: "gone, after a restart", close: forget, restarts: true },
];

/** What was written to the API server, and how many calls went to ngrok. */
export interface Heard {
  readonly written: readonly string[];
  readonly asked: number;
}

export const silence: Heard = { written: [], asked: 0 };

/** Closes the gate, and once the leader has let go has the world disturbed: what is heard of the managers from then on. */
export async function heardOnceClosed(world: World, state: ClosedState, disturb: () => Promise<void>): Promise<Heard> {
  await state.close(world);
  await world.until(Lease, namesOf(world.release).lease, ({ spec }) => (spec?.holderIdentity ?? "") === "");
  await world.quiet();
  if (state.restarts) {
    await world.manager.stop();
    world.start();
    await world.quiet();
  }
  const calls = (): number => world.api.ledger.entries().filter(({ path }) => path !== "/api_keys").length;
  const [written, asked] = [world.written().length, calls()];
  await disturb();
  await world.quiet();
  return { written: world.written().slice(written), asked: calls() - asked };
}

/** The finalizers of ours on these objects. */
export async function finalizersOn(world: World, objects: readonly (readonly [Kind, string])[]): Promise<string[]> {
  const found = await Promise.all(objects.map(async ([kind, name]) => await world.get(kind, name)));
  return found.flatMap((object) => object?.metadata.finalizers ?? []).filter((one) => FINALIZERS.includes(one));
}
