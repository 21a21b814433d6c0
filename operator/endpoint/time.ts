// The time as conditions carry it.
import type { Context } from "../runtime/define-controller.ts";

/** RFC 3339, to the second. */
export function now({ clock }: Context): string {
  return `${clock.date().toISOString().slice(0, 19)}Z`;
}
