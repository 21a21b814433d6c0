// What a look at an install before its uninstall has found, where nothing is in the way: for tests of what is said of it.
import { newDryRun } from "#drain/dry-run.ts";
import type { Answers } from "#hooks/ngrok-drain/forecast.ts";

export function someAnswers(overrides: Partial<Answers> = {}): Answers {
  return {
    release: { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" },
    inForce: { policy: "Retain", from: "the chart" },
    crdsGo: false,
    state: { phase: "Open", explicit: false },
    run: newDryRun(),
    blockers: [],
    unanswered: [],
    registered: true,
    callsPerMinute: 120,
    helmSeconds: 300,
    notes: [],
    ...overrides,
  };
}
