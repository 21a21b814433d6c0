// The name under which an agent writes its entry: one per pod, and never longer than the API server takes.
import { expect, test } from "vitest";
import { agentFieldManager } from "./agent-endpoint.ts";

test("each pod writes under a name of its own", () => {
  expect(agentFieldManager("edge-agent-7c9d-x2x4q")).toBe("ngrok-operator-agent/edge-agent-7c9d-x2x4q");
});

test("names that have to be cut stay different where only their ends differ", () => {
  const long = "a".repeat(250);
  const [one, other] = [agentFieldManager(`${long}-1`), agentFieldManager(`${long}-2`)];
  expect(one).toHaveLength(128);
  expect(other).toHaveLength(128);
  expect(one).not.toBe(other);
});
