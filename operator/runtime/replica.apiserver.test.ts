// What the runtime promises to a controller of which every replica has one, on a real API server: with whatever it opens.
import { expect, test } from "vitest";
import { AgentEndpoint, type AgentReplica } from "#api/agent-endpoint.ts";
import { DRAIN_OWNER } from "#api/keys.ts";
import { keyOf, type Ref, refOf } from "#kube/kind.ts";
import { anAgentEndpoint } from "#test/support/builders.ts";
import { freePort } from "#test/support/forwarding.ts";
import { type Replica, startReplicaOf } from "#test/support/replicas.ts";
import { startWorld, type World, type WorldOptions } from "#test/support/world.ts";
import { systemClock } from "#wire/clock.ts";
import { defineReplicaController, type ReplicaOutcome, withHands } from "./define-replica.ts";

/** A controller that opens nothing but remembers what it would have open: key -> uid and spec.url. */
class Notebook {
  readonly open = new Map<string, string>();
  readonly story: string[] = [];
  answer: ReplicaOutcome<AgentEndpoint> = { is: "done", entry: { reason: "EndpointCreated" } };
  /** Nothing is applied before. */
  free = Promise.resolve();
  readonly #waiting = new Set<() => void>();

  note(line: string): void {
    this.story.push(line);
    for (const look of this.#waiting) look();
  }

  async until(holds: () => boolean, withinMs = 60_000): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`not within ${withinMs} ms: ${this.story.join("; ")}`)), withinMs);
      this.#waiting.add(() => {
        if (!holds()) return;
        clearTimeout(late);
        resolve();
      });
    });
  }
}

const notes = defineReplicaController<AgentEndpoint, Notebook>({
  name: "notes",
  manager: "agent-manager",
  role: "replica",
  kind: AgentEndpoint,
  rbac: [],
  fieldManager: (pod) => `notes/${pod}`,
  async apply(endpoint, { hands }) {
    await hands.free;
    hands.open.set(keyOf(refOf(endpoint)), `${endpoint.metadata.uid}`);
    hands.note(`open ${endpoint.metadata.name} ${endpoint.spec.url}`);
    return await Promise.resolve(hands.answer);
  },
  async close(at: Ref, { hands }) {
    if (hands.open.delete(keyOf(at))) hands.note(`close ${at.name}`);
    await Promise.resolve();
  },
});

interface Ground extends AsyncDisposable {
  readonly world: World;
  readonly book: Notebook;
  readonly replica: Replica;
}

async function ground(drain: NonNullable<WorldOptions["drain"]> = "rendered"): Promise<Ground> {
  const world = await startWorld({ controllers: [], start: false, drain });
  const book = new Notebook();
  const replica = startReplicaOf(world, [withHands(notes, book)], { pod: "agent-1" });
  return {
    world,
    book,
    replica,
    async [Symbol.asyncDispose]() {
      await replica[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

const endpoint = (name: string) => anAgentEndpoint({ metadata: { name }, spec: { url: `https://${name}.internal` } });
const opened = (book: Notebook, name: string) => book.story.filter((line) => line.startsWith(`open ${name} `)).length;

function entryOf(object: AgentEndpoint | undefined): AgentReplica | undefined {
  return object?.status?.replicas?.find(({ pod }) => pod === "agent-1");
}

test("an object is applied and its entry written once; an unchanged one costs no write", async () => {
  await using at = await ground();
  await at.world.create(AgentEndpoint, endpoint("web"));
  const shown = await at.world.until(AgentEndpoint, "web", (one) => entryOf(one) !== undefined);
  expect(entryOf(shown)).toEqual({ pod: "agent-1", observedGeneration: 1, reason: "EndpointCreated" });
  expect(shown.metadata.finalizers).toBeUndefined();
  const before = opened(at.book, "web");

  await at.world.write.patch(
    AgentEndpoint,
    refOf(shown),
    shown.metadata.uid ?? "",
    [{ op: "add", path: "/metadata/labels", value: { any: "label" } }],
    AbortSignal.timeout(60_000),
  );
  await at.book.until(() => opened(at.book, "web") > before);
  await at.world.remove(AgentEndpoint, "web");
  await at.book.until(() => at.book.open.size === 0);
  expect(at.replica.writes).toHaveLength(1);
});

test.for(["Draining", "Drained", "absent"] as const)(
  "while the drain state is %s nothing is opened, and it is once the state opens",
  async (state, { expect }) => {
    await using at = await ground(state);
    await at.world.create(AgentEndpoint, endpoint("web"));
    await at.world.quiet();
    expect(at.book.story).toEqual([]);
    expect(at.replica.writes).toEqual([]);
    if (state === "absent") return;
    await at.world.mark("Open");
    await at.book.until(() => at.book.open.size === 1);
  },
);

test("a pod that starts while the drain state is closed is not ready before that opens and all that was there has been looked at", async () => {
  await using at = await ground("Draining");
  await at.world.create(AgentEndpoint, endpoint("web"));
  const [book, port, free] = [new Notebook(), await freePort(), Promise.withResolvers<void>()];
  book.free = free.promise;
  const bind = { health: `127.0.0.1:${port}`, metrics: "0" };
  await using replica = startReplicaOf(at.world, [withHands(notes, book)], { pod: "agent-2", bind });
  const ready = async (): Promise<string> =>
    await fetch(`http://127.0.0.1:${port}/readyz`).then(async (answer) => `${answer.status} ${await answer.text()}`);
  await replica.closed();
  await at.world.quiet();
  // With nothing open it would take the place of a pod that serves.
  expect(await ready()).toMatch(/^503 [^]*\[-\] drain state: a drain/);
  await at.world.mark("Open");
  await expect.poll(ready).toContain("1 of kind AgentEndpoint have not been looked at yet");
  free.resolve();
  await book.until(() => book.open.size === 1);
  await expect.poll(ready).toMatch(/^200/);
});

test("a mark in mid-run leaves open what is open, changes nothing, and closes only what is deleted", async () => {
  await using at = await ground();
  for (const name of ["stays", "goes"]) await at.world.create(AgentEndpoint, endpoint(name));
  await at.book.until(() => at.book.open.size === 2);
  await at.world.mark("Draining");
  await at.replica.closed();
  const { metadata } = (await at.world.get(AgentEndpoint, "stays")) as AgentEndpoint;
  await at.world.write.patch(
    AgentEndpoint,
    refOf({ metadata }),
    metadata.uid ?? "",
    [{ op: "replace", path: "/spec/url", value: "https://another.internal" }],
    AbortSignal.timeout(60_000),
  );
  await at.world.remove(AgentEndpoint, "goes");
  await at.book.until(() => at.book.story.includes("close goes"));
  await at.world.quiet();
  // Before the mark it may have been looked at twice: by its event, and by the drain state that is first read.
  const said = at.book.story.filter((line) => line.includes("stays"));
  expect([...new Set(said)]).toEqual(["open stays https://stays.internal"]);
});

test("while the drain state cannot be read nothing is opened or changed, what is deleted is closed, and then it goes on", async () => {
  await using at = await ground();
  for (const name of ["stays", "goes"]) await at.world.create(AgentEndpoint, endpoint(name));
  await at.book.until(() => at.book.open.size === 2);
  await at.world.quiet();
  at.replica.blind();
  // What was read a moment ago holds for a moment.
  await systemClock.sleep(2_500);
  const seen = at.book.story.length;
  await at.world.create(AgentEndpoint, endpoint("late"));
  await at.world.touch(AgentEndpoint, "stays", "/spec/url", "https://another.internal");
  await at.world.remove(AgentEndpoint, "goes");
  await at.book.until(() => at.book.story.includes("close goes"));
  await at.world.quiet();
  expect(at.book.story.slice(seen)).toEqual(["close goes"]);
  at.replica.mend();
  await at.book.until(() => opened(at.book, "late") > 0);
  await at.book.until(() => at.book.story.includes("open stays https://another.internal"));
});

test("an object that is deleted while its finalizer holds it is closed at once (W9)", async () => {
  await using at = await ground();
  const held = endpoint("held");
  await at.world.create(AgentEndpoint, { ...held, metadata: { ...held.metadata, finalizers: ["test/holds"] } });
  await at.book.until(() => at.book.open.size === 1);
  await at.world.remove(AgentEndpoint, "held");
  await at.book.until(() => at.book.open.size === 0);
  expect(at.book.story.at(-1)).toBe("close held");
  const { metadata } = (await at.world.get(AgentEndpoint, "held")) as AgentEndpoint;
  await at.world.write.patch(
    AgentEndpoint,
    refOf({ metadata }),
    metadata.uid ?? "",
    [{ op: "remove", path: "/metadata/finalizers" }],
    AbortSignal.timeout(60_000),
  );
});

test("what is deleted, or made anew under its name, while the watch is cut is closed by what the next list shows (W9)", async () => {
  await using at = await ground();
  for (const name of ["gone", "anew"]) await at.world.create(AgentEndpoint, endpoint(name));
  await at.book.until(() => at.book.open.size === 2);
  const seen = at.book.story.length;
  at.replica.cut();
  for (const name of ["gone", "anew"]) await at.world.remove(AgentEndpoint, name);
  await at.world.create(AgentEndpoint, endpoint("anew"));
  at.replica.mend();
  const since = (what: string) => at.book.story.slice(seen).filter((line) => line.endsWith(what));
  const closed = (name: string) => since(`close ${name}`).length;
  await at.book.until(() => closed("gone") === 1 && closed("anew") === 1 && at.book.open.size === 1);
  expect(at.book.story.at(-1)).not.toBe("close anew");
  expect([...at.book.open.keys()]).toEqual([`${at.world.namespace}/anew`]);
});

test("what another release has stamped is not opened", async () => {
  await using at = await ground();
  const theirs = endpoint("theirs");
  await at.world.create(AgentEndpoint, {
    ...theirs,
    metadata: { ...theirs.metadata, annotations: { [DRAIN_OWNER]: "other/release" } },
  });
  await at.world.create(AgentEndpoint, endpoint("ours"));
  await at.book.until(() => at.book.open.size === 1);
  await at.world.quiet();
  // More than once, if the drain state was first read after the object came.
  expect([...new Set(at.book.story)]).toEqual(["open ours https://ours.internal"]);
});

test("two replicas write two entries and none takes the other's", async () => {
  await using at = await ground();
  const second = new Notebook();
  await using other = startReplicaOf(at.world, [withHands(notes, second)], { pod: "agent-2" });
  second.answer = { is: "done", entry: { reason: "NgrokAPIError", message: "refused" } };
  await at.world.create(AgentEndpoint, endpoint("web"));
  const shown = await at.world.until(AgentEndpoint, "web", ({ status }) => status?.replicas?.length === 2);
  expect(shown.status?.replicas?.map(({ pod, reason }) => `${pod} ${reason}`).toSorted()).toEqual([
    "agent-1 EndpointCreated",
    "agent-2 NgrokAPIError",
  ]);
  await at.world.quiet();
  expect(other.writes).toHaveLength(1);
});
