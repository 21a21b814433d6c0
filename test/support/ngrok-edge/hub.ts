// What the sessions of one edge share.
import type { Clock } from "#wire/clock.ts";
import type { Endpoint, Endpoints } from "./endpoints.ts";
import type { EdgeFaults } from "./faults.ts";
import type { Journal } from "./journal.ts";
import type { BindRequest } from "./messages.ts";
import type { Refusal } from "./refusals.ts";
import type { AgentSession } from "./session.ts";

export interface Hub {
  readonly clock: Clock;
  readonly faults: EdgeFaults;
  readonly journal: Journal;
  readonly endpoints: Endpoints;
  /** Those that are let in; undefined: any. */
  readonly authtokens: ReadonlySet<string> | undefined;
  /** Takes an authenticated session in, instead of the one that it continues. Returns its id. */
  admit(session: AgentSession, clientId: string): string;
  bind(session: AgentSession, request: BindRequest): Promise<Endpoint | Refusal>;
  lost(session: AgentSession, why: string): void;
}
