// What an AgentEndpoint is to show, from what each agent says of it: the leader alone makes conditions of that, so that
// several agents never write over one another. Pure.
import type { AgentEndpoint, AgentEndpointReason, AgentReplica } from "#api/agent-endpoint.ts";
import { type Finding, findCondition, foldReady, isTrue } from "#api/conditions.ts";
import { finding, inOrder } from "../../endpoint/conditions.ts";
import { type DomainNeed, domainNeed } from "#api/domain-need.ts";
import type { DomainPart } from "../../endpoint/domain.ts";
import type { PolicySource } from "../../endpoint/traffic-policy.ts";
import type { ObjectEvent, Shown } from "../../runtime/define-controller.ts";
import { isServing, type Replicas } from "../../runtime/replica-pods.ts";

const { holds, fails } = finding<AgentEndpointReason>();

const CREATED = "EndpointCreated";
/** Pods named in one message. */
const NAMED = 3;

/** A URL that leaves the host to ngrok: `https://` and the like, or nothing at all. */
const HOSTLESS = /^\s*((https?|tcp|tls):\/\/)?\s*$/i;

/** Agents take more URLs than a CloudEndpoint: where ngrok chooses the host, there is nothing to reserve. */
export function needOf({ url, bindings }: Pick<AgentEndpoint["spec"], "url" | "bindings">): DomainNeed {
  if (!HOSTLESS.test(url)) return domainNeed(url, bindings);
  return { is: "none", why: "Domain ready (ngrok chooses the host - no domain reservation needed)" };
}

/** What is known beside the object itself. */
export interface Look {
  readonly domain: DomainPart;
  readonly source: PolicySource;
  /** Why there is no policy although the spec wants one. */
  readonly problem: string | undefined;
  readonly agents: Replicas;
  /** Where to look for the agents, for people: a command. */
  readonly where: string;
}

/** The entries that count, by what they say of the latest spec. */
interface Answers {
  readonly open: readonly AgentReplica[];
  readonly failed: readonly AgentReplica[];
  /** They speak of an earlier spec still. */
  readonly undecided: readonly AgentReplica[];
}

function answersOf(endpoint: AgentEndpoint, agents: Replicas): Answers {
  const { status, metadata } = endpoint;
  const isLatest = ({ observedGeneration }: AgentReplica): boolean => observedGeneration >= (metadata.generation ?? 0);
  const all = (status?.replicas ?? []).toSorted((a, b) => (a.pod < b.pod ? -1 : 1));
  const serving = all.filter(({ pod }) => isServing(agents, pod));
  // An agent without a session is not ready, and why it has none stands in its entry: nobody else says it.
  const entries = serving.length > 0 ? serving : all.filter(isLatest).flatMap((one) => whyNotReady(one, agents));
  const decided = entries.filter(isLatest);
  return {
    open: decided.filter(({ reason }) => reason === CREATED),
    failed: decided.filter(({ reason }) => reason !== CREATED),
    undecided: entries.filter((one) => !decided.includes(one)),
  };
}

/** What it had served before counts for nothing. */
function whyNotReady(entry: AgentReplica, agents: Replicas): AgentReplica[] {
  if (agents?.has(entry.pod) !== true || entry.reason === CREATED) return [];
  const { assignedURL: _, ...failure } = entry;
  return [failure];
}

/**
 * One agent that serves the latest spec makes the endpoint Ready; those that do not are named. Undefined: what the object
 * shows stays, since agents that served the earlier spec are still at the latest one.
 */
export function showEndpoint(endpoint: AgentEndpoint, look: Look): Shown<AgentEndpoint> | undefined {
  const answers = answersOf(endpoint, look.agents);
  const created = createdFinding(answers, look);
  if (look.problem === undefined && isUnderway(endpoint, answers)) return undefined;
  const policed = policyFinding(answers, look, isTrue(endpoint.status?.conditions, "TrafficPolicyApplied"));
  const parts = inOrder(look.domain.finding, policed, created);
  const message = `AgentEndpoint is active and ready${exceptions(answers)}`;
  const assignedURL = addressOf(endpoint, answers);
  const trafficPolicy = policyWord(look.source);
  return {
    fields: {
      ...(assignedURL === undefined ? {} : { assignedURL }),
      ...(trafficPolicy === undefined ? {} : { trafficPolicy }),
      ...(look.domain.ref === undefined ? {} : { domainRef: look.domain.ref }),
    },
    findings: [...parts, foldReady(parts, { reason: "EndpointActive", message })],
  };
}

/** Whether its Domain is just being reserved, or an agent is there and has not spoken: the next word is on its way. */
export function saysMoreSoon(endpoint: AgentEndpoint, domain: DomainPart, agents: Replicas): boolean {
  const { open, failed } = answersOf(endpoint, agents);
  const isAnswered = [...open, ...failed].some(({ pod }) => isServing(agents, pod));
  return domain.untried || (!isAnswered && (agents === undefined || [...agents.values()].includes(true)));
}

/** After a change of the spec one agent is the first to fail: whether all do is not known yet. */
function isUnderway({ status }: AgentEndpoint, { open, failed, undecided }: Answers): boolean {
  if (open.length > 0 || status?.conditions === undefined) return false;
  return failed.length === 0 ? undecided.length > 0 : undecided.some(({ reason }) => reason === CREATED);
}

function createdFinding(answers: Answers, look: Look): Finding {
  const { open, failed } = answers;
  if (open.length > 0) return holds(CREATED, CREATED, `Endpoint successfully created${exceptions(answers)}`);
  if (look.problem !== undefined) return fails(CREATED, "Pending", "Waiting for the traffic policy");
  if (failed.length === 0) return fails(CREATED, "Pending", waitingFor(look));
  const isMisconfigured = failed.some(({ reason }) => reason === "ConfigurationError" || reason === "SecretNotFound");
  const reason = isMisconfigured ? "ConfigurationError" : "NgrokAPIError";
  return fails(CREATED, reason, `Failed to create endpoint: ${said(failed)}${withoutAny(failed, look)}`);
}

/** The pod may have crashed since it said that. */
function withoutAny(failed: readonly AgentReplica[], { agents, where }: Look): string {
  if (failed.some(({ pod }) => isServing(agents, pod))) return "";
  return `; no agent that says so is ready: ${where} shows more`;
}

/** Names no pod: it would be another text, and another write for each endpoint, whenever one comes or goes. */
function waitingFor({ agents, where }: Look): string {
  if (agents?.size === 0) return `No agent is running, so nobody serves the endpoint: ${where} shows why`;
  if (agents !== undefined && ![...agents.values()].includes(true))
    return `No agent is ready, so nobody serves the endpoint: ${where} shows why`;
  return "Waiting for endpoint creation";
}

/** True only where an agent has opened the endpoint with one: who fails to change it may serve it still. */
function policyFinding({ open, failed }: Answers, { source, problem }: Look, wasApplied: boolean): Finding | undefined {
  const type = "TrafficPolicyApplied";
  if (problem !== undefined) return fails(type, "TrafficPolicyError", problem);
  if (source.is === "none") return undefined;
  const applied = holds(type, "TrafficPolicyApplied", "Traffic policy successfully applied");
  if (open.length > 0) return applied;
  const refused = failed.filter(({ reason }) => reason === "TrafficPolicyError");
  if (refused.length > 0) return fails(type, "TrafficPolicyError", said(refused));
  if (wasApplied && failed.some(({ assignedURL }) => assignedURL !== undefined)) return applied;
  return fails(type, "Pending", "Waiting for the endpoint");
}

function policyWord(source: PolicySource): string | undefined {
  if (source.is === "named") return source.name;
  return source.is === "invalid" ? undefined : source.is;
}

/** Where ngrok chooses the host each agent has an address of its own: the one that is shown stays as long as it serves. */
function addressOf({ status }: AgentEndpoint, { open, failed, undecided }: Answers): string | undefined {
  const served = [...open, ...failed, ...undecided].flatMap(({ assignedURL }) => assignedURL ?? []);
  return served.find((url) => url === status?.assignedURL) ?? served[0];
}

function exceptions({ failed }: Answers): string {
  return failed.length === 0 ? "" : `, but not at every agent: ${named(failed)}`;
}

/** Once where all say the same, else each with its pod. */
function said(failed: readonly AgentReplica[]): string {
  const texts = new Set(failed.map(textOf));
  return texts.size === 1 ? [...texts].join("") : named(failed);
}

function named(failed: readonly AgentReplica[]): string {
  const shown = failed.slice(0, NAMED).map((one) => `${one.pod}: ${textOf(one)}`);
  const more = failed.length > NAMED ? [`and ${failed.length - NAMED} more`] : [];
  return [...shown, ...more].join("; ");
}

function textOf({ message, reason }: AgentReplica): string {
  return message === undefined || message === "" ? reason : message;
}

/**
 * That the endpoint is served, the moment it is; that it cannot be, where the agents say something new of it. Nothing of what
 * the object shows already.
 */
export function createdEvents(
  endpoint: AgentEndpoint,
  shown: Shown<AgentEndpoint>,
  agents: Replicas,
): readonly ObjectEvent[] {
  const before = findCondition(endpoint.status?.conditions, CREATED);
  const after = shown.findings.find(({ type }) => type === CREATED);
  const note = `Updated AgentEndpoint/${endpoint.metadata.name}`;
  const isServed = after?.status === "True" && before?.status !== "True";
  return [
    ...(isServed ? [{ type: "Normal", reason: "Updated", note, action: "Update" } as const] : []),
    ...(isNews(endpoint, shown, CREATED) ? failureEvents(endpoint, agents) : []),
  ];
}

/** Whether the condition says something else than the object shows. */
export function isNews({ status }: AgentEndpoint, { findings }: Shown<AgentEndpoint>, type: string): boolean {
  return findCondition(status?.conditions, type)?.message !== findings.find((one) => one.type === type)?.message;
}

/** What the agents could not do, for the events of the object. */
export function failureEvents(endpoint: AgentEndpoint, agents: Replicas): readonly ObjectEvent[] {
  const { failed } = answersOf(endpoint, agents);
  return [...new Set(failed.map(eventReason))].map((reason) => ({
    type: "Warning",
    reason,
    note: said(failed.filter((one) => eventReason(one) === reason)),
    action: "Update",
  }));
}

function eventReason({ reason }: AgentReplica): string {
  if (reason === "SecretNotFound") return reason;
  return reason === "ConfigurationError" ? "ConfigError" : "UpdateError";
}
