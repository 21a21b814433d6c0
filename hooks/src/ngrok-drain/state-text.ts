// The drain state in words: pure.
import type { DrainState } from "#drain/state.ts";

export function stateText(state: DrainState): string {
  switch (state.phase) {
    case "Unknown":
      return `unknown: ${state.why}`;
    case "Open":
      return state.wish === undefined ? "open: no drain" : `open: no drain; the next one follows ${state.wish}`;
    case "Draining":
      return `draining since ${state.since || "an unknown time"}, policy ${state.policy}, begun by ${state.driver} ${state.by}`;
    case "Drained":
      return `drained, policy ${state.policy}, begun ${state.since || "at an unknown time"} by ${state.driver} ${state.by}`;
  }
}
