// What a Job says of its end.
import type { JobObject } from "./kinds.ts";

/** Complete or Failed. */
export function hasEnded({ status }: JobObject): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status }) => ["Complete", "Failed"].includes(type) && status === "True",
  );
}
