// Domains that share one reservation, undone in whatever order and however old what was seen of the others is: the last one
// gives it back, and none before.
import { expect, test } from "vitest";
import type { Domain } from "#api/domain.ts";
import { ADOPTED, DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { keyOf, type Ref } from "#kube/kind.ts";
import type { ListOptions } from "#kube/reader.ts";
import type { JsonPatchOperation } from "#kube/writer.ts";
import { jsonPatched, PatchRefused } from "#test/model/patch.ts";
import { aDomain } from "#test/support/builders.ts";
import { KnownError } from "#wire/errors.ts";
import type { SeenDomain, Undone, UndoHands } from "../hands.ts";
import { undoDomain } from "./domain.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };
const { signal } = new AbortController();
const RESERVED = "rd_1";

interface Made {
  readonly owner?: string;
  readonly id?: string | undefined;
  readonly adopted?: string;
  /** Who wrote that; default: we. */
  readonly by?: string;
  /** Its reclaimPolicy is Retain. */
  readonly keeps?: true;
}

/** What the API server notes of annotations that a field manager has written. */
function accountOf(manager: string, annotations: Readonly<Record<string, string>> = {}) {
  const keys = Object.fromEntries(Object.keys(annotations).map((key) => [`f:${key}`, {}]));
  return [{ manager, operation: "Update", fieldsV1: { "f:metadata": { "f:annotations": keys } } }];
}

/** A cluster of Domains of one host, and the one reservation. */
class Ground {
  readonly domains = new Map<string, Domain>();
  isReserved = true;
  /** Its metadata at ngrok. */
  words = "another's words";
  /** What the next look at the cluster comes before. */
  meanwhile: (() => Promise<void>) | undefined;

  add(name: string, made: Made = {}): this {
    const { owner = "ops/ngrok", adopted } = made;
    const id = "id" in made ? made.id : RESERVED;
    const annotations = { [DRAIN_OWNER]: owner, ...(adopted === undefined ? {} : { [ADOPTED]: adopted }) };
    const managedFields = accountOf(made.by ?? "ngrok-operator", annotations);
    const metadata = { name, namespace: "shop", uid: `u-${name}`, finalizers: [FINALIZER], annotations, managedFields };
    const spec = { reclaimPolicy: made.keeps === true ? "Retain" : "Delete" } as const;
    this.domains.set(name, aDomain({ metadata, spec, ...(id === undefined ? {} : { status: { id } }) }));
    return this;
  }

  at(name: string): Domain {
    const found = this.domains.get(name);
    if (found === undefined) throw new Error(`${name} is not there`);
    return found;
  }

  delete(name: string): void {
    const { metadata, ...rest } = this.at(name);
    this.domains.set(name, { ...rest, metadata: { ...metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } });
  }

  /** Undoes it as it is now, with `seen` of the others (all there are); then its finalizer is off, and it is gone. */
  async undo(name: string, seen: readonly SeenDomain[] = [...this.domains.values()]): Promise<Undone> {
    const undone = await undoDomain(this.at(name), this.#hands(seen), release, signal);
    this.domains.delete(name);
    return undone;
  }

  async #between(): Promise<void> {
    const { meanwhile } = this;
    this.meanwhile = undefined;
    await meanwhile?.();
  }

  async *#listed(name: string) {
    await this.#between();
    yield { items: [...this.domains.values()].filter(({ metadata }) => metadata.name === name) };
  }

  #hands(seen: readonly SeenDomain[]): UndoHands {
    const hands = {
      read: {
        pages: (_kind: unknown, { fieldSelector = "" }: ListOptions) =>
          this.#listed(fieldSelector.replace("metadata.name=", "")),
      },
      write: {
        patch: async (_kind: unknown, at: Ref, _uid: string, operations: readonly JsonPatchOperation[]) => {
          await this.#between();
          try {
            const after = jsonPatched(this.at(at.name), operations);
            const managedFields = accountOf("ngrok-operator", after.metadata.annotations);
            this.domains.set(at.name, { ...after, metadata: { ...after.metadata, managedFields } });
          } catch (error) {
            if (error instanceof PatchRefused) throw new KnownError("conflict", `${keyOf(at)}: ${error.message}`);
            throw error;
          }
        },
      },
      ngrok: {
        domains: {
          find: () => Promise.resolve(this.isReserved ? { id: RESERVED, metadata: this.words } : undefined),
          remove: () => {
            const answer = this.isReserved ? "deleted" : "gone";
            this.isReserved = false;
            return Promise.resolve(answer);
          },
        },
      },
      domainsAt: () => Promise.resolve(seen),
    };
    return hands as unknown as UndoHands;
  }
}

test("the first of two leaves it to the other, and the other gives it back", async () => {
  const ground = new Ground().add("a").add("b");
  ground.delete("a");
  expect(await ground.undo("a")).toEqual({
    remote: "kept",
    id: RESERVED,
    why: "Domain shop/b stands for it as well",
  });
  expect(ground.isReserved).toBe(true);
  ground.delete("b");
  expect(await ground.undo("b")).toEqual({ remote: "deleted", id: RESERVED });
});

test("one that found it there, and would keep it as a stranger's, is told that it is its own now", async () => {
  const ground = new Ground().add("a").add("b", { adopted: "true" });
  ground.delete("a");
  await ground.undo("a");
  expect(ground.at("b").metadata.annotations?.[ADOPTED]).toBe("false");
  ground.delete("b");
  expect(await ground.undo("b")).toMatchObject({ remote: "deleted" });
});

test("one that is about to find it has it left to it, and gives it back although its words are not there", async () => {
  const ground = new Ground().add("a").add("b", { id: undefined });
  ground.delete("a");
  expect(await ground.undo("a")).toMatchObject({ remote: "kept" });
  ground.delete("b");
  expect(await ground.undo("b")).toMatchObject({ remote: "deleted" });
});

test("of two that go at once, and have seen each other stay, one gives it back", async () => {
  for (const first of ["a", "b"]) {
    const ground = new Ground().add("a").add("b");
    const old = [...ground.domains.values()];
    ground.delete("a");
    ground.delete("b");
    const second = first === "a" ? "b" : "a";
    expect(await ground.undo(first, old)).toMatchObject({ remote: "deleted" });
    expect(await ground.undo(second, old)).toMatchObject({ remote: "gone" });
  }
});

test("an heir that is deleted as it is told of it has decided without it: then there is none, at the next try", async () => {
  const ground = new Ground().add("a").add("b", { adopted: "true" });
  ground.delete("a");
  // After the look, before the patch.
  ground.meanwhile = () => {
    ground.meanwhile = async () => {
      ground.delete("b");
      await ground.undo("b");
    };
    return Promise.resolve();
  };
  await expect(ground.undo("a")).rejects.toThrow("is not there");
  expect(await ground.undo("a")).toMatchObject({ remote: "deleted" });
  expect(ground.isReserved).toBe(false);
});

test("a deletion between what was seen and the look past every cache counts", async () => {
  const ground = new Ground().add("a").add("b");
  ground.delete("a");
  ground.meanwhile = () => Promise.resolve(ground.delete("b"));
  expect(await ground.undo("a")).toMatchObject({ remote: "deleted" });
});

test("in a drain one that was relaxed after it was listed keeps it for one that is at work already", async () => {
  const ground = new Ground().add("a").add("keeps", { keeps: true });
  const seen = [...ground.domains.values()].map((one) => ({ ...one, goes: "released" as const }));
  ground.delete("a");
  ground.meanwhile = async () => {
    ground.delete("keeps");
    await ground.undo("keeps", seen);
  };
  expect(await ground.undo("a", seen)).toEqual({
    remote: "kept",
    id: RESERVED,
    why: "the reclaimPolicy of Domain shop/keeps, which shares it, is Retain",
  });
  expect(ground.isReserved).toBe(true);
});

test("one that was relaxed after it was listed, and is only on its way, keeps it as well", async () => {
  const ground = new Ground().add("a").add("keeps", { keeps: true });
  const seen = [...ground.domains.values()].map((one) => ({ ...one, goes: "released" as const }));
  ground.delete("a");
  ground.meanwhile = () => Promise.resolve(ground.delete("keeps"));
  expect(await ground.undo("a", seen)).toMatchObject({ remote: "kept", why: expect.stringContaining("shop/keeps") });
  expect(ground.isReserved).toBe(true);
});

test("ours has it before another install's, on which nothing is written", async () => {
  const ground = new Ground().add("a").add("theirs", { owner: "team/ngrok", adopted: "true" }).add("z");
  ground.delete("a");
  expect(await ground.undo("a")).toMatchObject({ why: "Domain shop/z stands for it as well" });
  ground.delete("z");
  expect(await ground.undo("z")).toMatchObject({ why: "Domain shop/theirs of team/ngrok stands for it as well" });
  expect(ground.at("theirs").metadata.annotations?.[ADOPTED]).toBe("true");
});

test.for<readonly [string, Made]>([
  ["has another reservation", { id: "rd_2" }],
  ["is another install's and shows none", { id: undefined, owner: "team/ngrok" }],
])("a Domain of the host that %s does not stand for this one", async ([, made], { expect }) => {
  const ground = new Ground().add("a").add("b", made);
  ground.delete("a");
  expect(await ground.undo("a")).toMatchObject({ remote: "deleted" });
});

test("one that was never recorded does not take what another Domain stands for", async () => {
  const ground = new Ground().add("a", { id: undefined, adopted: "false" }).add("b");
  ground.delete("a");
  expect(await ground.undo("a")).toMatchObject({ remote: "kept", id: RESERVED });
});

test.for<readonly [string, Made]>([
  ["before anything is recorded", { id: undefined }],
  ["over our own word", {}],
])("a person who says that a stranger's is its own to give back, %s, is not believed", async ([, made], { expect }) => {
  const ground = new Ground().add("a", { adopted: "false", by: "kubectl-edit", ...made });
  ground.delete("a");
  expect(await ground.undo("a")).toEqual({ remote: "kept", id: RESERVED, why: "it is not recorded as ours" });
  expect(ground.isReserved).toBe(true);
});

test.for(["ngrok-operator", "ngrok-operator-drain", "ngrok-operator-cleanup", "ngrok-drain"])(
  "that it is its own to give back is believed of %s, which is one of us",
  async (by, { expect }) => {
    const ground = new Ground().add("a", { adopted: "false", by });
    ground.delete("a");
    expect(await ground.undo("a")).toEqual({ remote: "deleted", id: RESERVED });
  },
);

test("what is our own by its words goes whatever a person says, and what is gone is gone", async () => {
  const said = { adopted: "false", by: "kubectl-edit" };
  const ground = new Ground().add("a", said).add("b", said);
  ground.words = ground.at("a").spec.metadata as string;
  ground.delete("a");
  ground.delete("b");
  expect(await ground.undo("a")).toEqual({ remote: "deleted", id: RESERVED });
  expect(await ground.undo("b")).toEqual({ remote: "none" });
});
