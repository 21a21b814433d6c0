// The memory of the drain: what each reading means, what is latched, what a second mark may change.
import { describe, expect, test } from "vitest";
import type { Connection } from "#kube/connection.ts";
import type { Reader } from "#kube/reader.ts";
import { FenceLost } from "#wire/errors.ts";
import {
  mark as write,
  type Mark,
  markDrained,
  parseState,
  policyUnder,
  sealed,
  stateReader,
  type StateObject,
} from "./state.ts";

const release = { name: "ngrok", namespace: "ngrok-operator", fullname: "ngrok-operator" };
const marked = { policy: "Delete", driver: "hook", by: "pod/a/1", since: "2026-01-01T00:00:00Z" } as const;
const mark: Mark = marked;

function stateWith(data?: Record<string, string>): StateObject {
  return { metadata: { name: "ngrok-operator-drain-state" }, ...(data === undefined ? {} : { data }) };
}

function readerOf(answer: () => StateObject | undefined | Promise<StateObject>): Reader {
  return {
    // Of whatever kind is asked for; only the state ever is.
    get: async () => answer() as never,
    pages: async function* () {},
    served: async () => "v1",
  };
}

describe("a reading of the ConfigMap", () => {
  test("an absent one is unknown, so it is closed", () => {
    expect(parseState(undefined).phase).toBe("Unknown");
  });
  test("one without data is open, as Helm renders it", () => {
    expect(parseState(stateWith())).toEqual({ phase: "Open", explicit: false });
  });
  test("a word that nobody writes is unknown", () => {
    expect(parseState(stateWith({ phase: "draining" }))).toEqual({ phase: "Unknown", why: 'data.phase is "draining"' });
  });
  test("an unreadable policy under a mark is the careful one", () => {
    expect(parseState(stateWith({ phase: "Draining", policy: "Purge" }))).toMatchObject({
      phase: "Draining",
      policy: "Retain",
    });
  });
  test("a mark that another ConfigMap bore is none, as a restored backup brings it; that it was Retain stays (decision 16)", () => {
    const data = { phase: "Draining", policy: "Delete", uid: "of-the-first" };
    const object = (uid: string, more = {}): StateObject => ({
      metadata: { name: "ngrok-operator-drain-state", uid },
      data: { ...data, ...more },
    });
    expect(parseState(object("of-the-first"))).toMatchObject({ phase: "Draining", policy: "Delete" });
    const restored = parseState(object("of-the-second"));
    expect(restored).toEqual({ phase: "Unknown", why: expect.stringContaining("ngrok-drain cancel") });
    expect(sealed(restored, mark)).toEqual(mark);
    expect(sealed(parseState(object("of-the-second", { policy: "Retain" })), mark).policy).toBe("Retain");
    expect(parseState({ ...object(""), metadata: { name: "of-no-api-server" } }).phase).toBe("Draining");
  });
  test("an unmarked policy Retain is a wish, an unmarked Delete is nothing", () => {
    expect(parseState(stateWith({ policy: "Retain" }))).toMatchObject({ wish: "Retain" });
    expect(parseState(stateWith({ policy: "Delete" }))).not.toHaveProperty("wish");
  });
});

describe("the latch", () => {
  test("a wiped mark does not open, an explicit Open does (F11)", () => {
    const state = stateReader(
      readerOf(() => undefined),
      release,
    );
    state.observe(stateWith());
    expect(state.now.phase).toBe("Open");
    state.observe(stateWith({ phase: "Draining", policy: "Retain" }));
    expect(state.observe(stateWith()).phase).toBe("Unknown");
    expect(state.observe(undefined).phase).toBe("Unknown");
    expect(state.observe(stateWith({ phase: "Open" })).phase).toBe("Open");
  });
  test.for([
    ["a read that fails", undefined],
    ["a wiped mark", stateWith()],
    ["a mark that is gone", "gone"],
    ["Delete written over it", stateWith({ phase: "Draining", policy: "Delete" })],
  ] as const)(
    "Retain that was read under a mark stays Retain after %s, for every driver (F8)",
    async ([, next], { expect }) => {
      const state = stateReader(
        readerOf(() => {
          if (next === undefined) throw new Error("connection refused");
          return next === "gone" ? undefined : next;
        }),
        release,
      );
      state.observe(stateWith({ phase: "Draining", policy: "Delete" }));
      expect(policyUnder(mark, state.now)).toBe("Delete");
      state.observe(stateWith({ phase: "Draining", policy: "Retain" }));
      const after = await state.fresh(new AbortController().signal);
      expect(policyUnder(mark, after)).toBe("Retain");
      expect(sealed(after, mark).policy).toBe("Retain");
      // The drain after a cancel is another one.
      state.observe(stateWith({ phase: "Open" }));
      expect(policyUnder(mark, state.observe(stateWith({ phase: "Draining", policy: "Delete" })))).toBe("Delete");
    },
  );
  test("a wish can be withdrawn, but a state that goes takes none back", () => {
    const state = stateReader(
      readerOf(() => undefined),
      release,
    );
    state.observe(stateWith({ policy: "Retain" }));
    expect(state.observe(undefined)).toMatchObject({ phase: "Unknown", wish: "Retain" });
    expect(state.observe(stateWith())).not.toHaveProperty("wish");
    expect(state.observe(undefined)).not.toHaveProperty("wish");
  });
  test("a watch that lags behind a read does not take the state back (F4)", async () => {
    const marked = stateWith({ phase: "Draining", policy: "Retain" });
    marked.metadata.resourceVersion = "12";
    const before = stateWith({ phase: "Open" });
    before.metadata.resourceVersion = "11";
    const state = stateReader(
      readerOf(() => marked),
      release,
    );
    await state.fresh(new AbortController().signal);
    expect(state.observe(before).phase).toBe("Draining");
  });
  /** Open or Draining as of this resourceVersion. */
  function asOf(version: number, phase: string): StateObject {
    const object = stateWith({ phase, policy: "Delete" });
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
  }
  test("a mark read later counts, however old its version looks: a restored backup counts from an earlier number", async () => {
    const state = stateReader(
      readerOf(() => asOf(5_001, "Draining")),
      release,
    );
    state.observe(asOf(9_000, "Open"));
    expect((await state.fresh(new AbortController().signal)).phase).toBe("Draining");
    expect(state.observe(asOf(5_000, "Open")).phase).toBe("Draining");
    expect(state.observe(asOf(5_002, "Open")).phase).toBe("Open");
  });
  test.for(["the watch", "a later read"])(
    "a read that %s overtakes takes nothing back (F4)",
    async (by, { expect }) => {
      const answers: ((object: StateObject) => void)[] = [];
      const read = readerOf(async () => await new Promise<StateObject>((resolve) => answers.push(resolve)));
      const state = stateReader(read, release);
      state.observe(asOf(10, "Open"));
      const reads = [1, 2].map(async () => await state.fresh(new AbortController().signal));
      if (by === "the watch") state.observe(asOf(12, "Draining"));
      else {
        answers[1]?.(asOf(12, "Draining"));
        await reads[1];
      }
      answers[0]?.(asOf(11, "Open"));
      expect((await reads[0])?.phase).toBe("Draining");
    },
  );
  test("a failing read closes, and says why", async () => {
    const state = stateReader(
      readerOf(() => {
        throw new Error("connection refused");
      }),
      release,
    );
    state.observe(stateWith());
    const fresh = await state.fresh(new AbortController().signal);
    expect(fresh).toMatchObject({ phase: "Unknown", why: expect.stringContaining("connection refused") });
    expect(state.now.phase).toBe("Unknown");
  });
});

describe("the seal", () => {
  test("the first mark seals its policy (F8)", () => {
    expect(sealed({ phase: "Open", explicit: false }, mark).policy).toBe("Delete");
  });
  test("a person's wish for Retain wins over a release's Delete (F15)", () => {
    expect(sealed({ phase: "Open", explicit: false, wish: "Retain" }, mark).policy).toBe("Retain");
  });
  test.for([
    ["Delete", "Delete", "Delete"],
    ["Delete", "Retain", "Retain"],
    ["Retain", "Delete", "Retain"],
    ["Retain", "Retain", "Retain"],
  ] as const)("sealed %s, wanted %s: %s", ([before, wanted, after], { expect }) => {
    expect(sealed({ phase: "Draining", ...mark, policy: before }, { ...mark, policy: wanted }).policy).toBe(after);
  });
  test("a second mark keeps the time of the first", () => {
    expect(sealed({ phase: "Draining", ...mark }, { ...mark, since: "later" }).since).toBe(mark.since);
  });
});

describe("a mark of a Job", () => {
  const { signal } = new AbortController();
  async function marks(data: Record<string, string> | undefined, job: string | undefined): Promise<unknown[]> {
    const bodies: unknown[] = [];
    const connection = { request: async ({ body }) => void bodies.push(body) } as Partial<Connection> as Connection;
    await write(
      connection,
      readerOf(() => stateWith(data)),
      release,
      { ...mark, job },
      "skip",
      signal,
    );
    return bodies;
  }
  test("is refused where a person has cancelled that very uninstall, also between the hook's own look and its mark", async () => {
    await expect(marks({ phase: "Open", job: "job-1" }, "job-1")).rejects.toThrow(FenceLost);
  });
  test.for([
    ["of a fresh install", undefined, "job-1"],
    ["opened after an earlier uninstall", { phase: "Open", job: "job-0" }, "job-1"],
    ["wiped since it was marked", { job: "job-1" }, "job-1"],
  ] as const)("holds in a state %s, and names the Job", async ([, data, job], { expect }) => {
    expect(await marks(data, job)).toMatchObject([{ data: { phase: "Draining", job } }]);
  });
  test("the leader's and a person's name none", async () => {
    expect(await marks({ phase: "Open", job: "job-1" }, undefined)).toMatchObject([{ data: { phase: "Draining" } }]);
  });
});

describe("the end of a drain", () => {
  const { signal } = new AbortController();
  async function ended(data: Record<string, string>): Promise<unknown[]> {
    const bodies: unknown[] = [];
    const connection = { request: async ({ body }) => void bodies.push(body) } as Partial<Connection> as Connection;
    const read = readerOf(() => stateWith(data));
    await markDrained(connection, read, release, mark, signal);
    return bodies;
  }
  test("is written over its own mark, relaxed or not", async () => {
    expect(await ended({ ...marked, phase: "Draining", policy: "Retain" })).toMatchObject([
      { data: { phase: "Drained", policy: "Retain" } },
    ]);
  });
  test("is not written over a cancel, which the operator may have obeyed already (F7)", async () => {
    await expect(ended({ phase: "Open" })).rejects.toThrow(FenceLost);
  });
});
