// A cache in which nothing is.
import type { Cached } from "#operator/runtime/define-controller.ts";

export const nothingCached: Cached = {
  get: () => undefined,
  by: () => [],
  inOrder: () => [],
  all: () => [],
  isWhole: () => true,
  has: () => true,
};
