// What to do with each object of a page: pure, so that a dry run prints exactly what a run would do.
import type { DrainPolicy } from "#api/schema.ts";
import type { KubeObject } from "#kube/kind.ts";
import type { Row } from "./kinds.ts";
import { carriesOurs, foreignFinalizers, isOurs, type Surroundings, type Whose, whose, whyLeft } from "./ours.ts";

export interface Found {
  readonly row: Row;
  readonly object: KubeObject;
  readonly whose: Whose;
  /** Why it is left alone; only where it is not ours. */
  readonly why?: string;
  readonly deleting: boolean;
  readonly foreign: readonly string[];
}

export interface Step {
  readonly at: Found;
  /** free: our finalizer off. undo: what we made is unmade, then the finalizer off. delete: the object goes too.
   * contested: ours, but somebody puts the finalizer back. */
  readonly act: "free" | "undo" | "delete" | "leave" | "contested";
  readonly stamp: "off" | "stays";
  readonly why: string;
}

/** The objects of a page that carry a finalizer of ours, or of another install of us. */
export function find(row: Row, objects: readonly KubeObject[], surroundings: Surroundings): readonly Found[] {
  return objects
    .filter((object) => carriesOurs(row, object))
    .map((object) => {
      const answer = whose(row, object, surroundings);
      return {
        row,
        object,
        whose: answer,
        ...(isOurs(answer) ? {} : { why: whyLeft(answer, object, surroundings) }),
        deleting: object.metadata.deletionTimestamp !== undefined,
        foreign: foreignFinalizers(row, object),
      };
    });
}

/** One step for one object. Under Retain nothing remote is touched, not even for objects already deleting. */
export function plan(at: Found, policy: DrainPolicy): Step {
  if (!isOurs(at.whose)) return { at, act: "leave", stamp: "stays", why: at.why ?? "another install owns it" };
  if (at.row.whose === "user") {
    const act = policy === "Delete" && at.row.undo !== undefined ? "undo" : "free";
    return { at, act, stamp: "off", why: at.row.fate[policy] };
  }
  if (policy === "Retain") {
    const why = at.deleting ? "was being deleted, what is at ngrok is kept" : at.row.fate.Retain;
    // The stamp stays on our kinds, so that only this install adopts them again.
    return { at, act: "free", stamp: "stays", why };
  }
  return { at, act: "delete", stamp: "stays", why: at.row.fate.Delete };
}
