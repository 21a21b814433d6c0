// What becomes of an AgentEndpoint whose tunnel cannot be opened: whether it is tried again.
import { expect, test } from "vitest";
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import type { AgentPort } from "#ngrok/agent-port.ts";
import { anAgentEndpoint } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { Cache } from "../../runtime/cache.ts";
import type { ReplicaContext, ReplicaOutcome } from "../../runtime/define-replica.ts";
import { nextOf } from "../../runtime/next.ts";
import { tunnelController } from "./controller.ts";
import { Tunnels } from "./tunnels.ts";

/** By an agent that ngrok answers so. */
async function opened(refusal: KnownError): Promise<ReplicaOutcome<AgentEndpoint>> {
  const clock = testClock();
  const agent: AgentPort = {
    state: { is: "up" },
    onChange: () => () => undefined,
    open: async () => await Promise.reject(refusal),
  };
  const context: ReplicaContext<Tunnels> = {
    hands: new Tunnels(agent, clock),
    signal: new AbortController().signal,
    cached: new Cache(),
    clock,
    reader: undefined as never,
    release: { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" },
    pod: "agent-1",
    event: () => undefined,
  };
  return await tunnelController.apply(anAgentEndpoint(), context);
}

test("what is refused in words about its policy is left until somebody changes something, whatever the code", async () => {
  const said = "cannot open https://web.test: The traffic policy has too many rules (ERR_NGROK_2299)";
  const outcome = await opened(new KnownError("transient", said, { code: "ERR_NGROK_2299" }));
  expect(outcome).toMatchObject({ is: "stop", entry: { reason: "TrafficPolicyError", message: said } });
  // Not before a mending may have come that no watch sees.
  expect(nextOf(outcome)).toEqual({ is: "later", ms: 600_000 });
});

test("what only quotes a name with that word in it is tried again", async () => {
  const taken = "cannot open https://policy.test: another endpoint has this URL (ERR_NGROK_334)";
  const outcome = await opened(new KnownError("transient", taken, { code: "ERR_NGROK_334" }));
  expect(outcome).toMatchObject({ is: "failed", entry: { reason: "NgrokAPIError", message: taken } });
  expect(nextOf(outcome)).toMatchObject({ is: "retry" });
});
