// The one event in which an object is told all that is wrong with it. Pure.
import type { Problem } from "./model.ts";

/** All problems in one line, each once. What is refused comes first: a note is cut where the API server takes no more of it. */
export function noteOf(problems: readonly Problem[]): string {
  const isRefused = ({ effect }: Problem): boolean => effect === "refused";
  const inOrder = [...problems.filter(isRefused), ...problems.filter((one) => !isRefused(one))];
  return [...new Set(inOrder.map(({ field, reason }) => `${field}: ${reason}`))].join("; ");
}
