// What is found about an object, in the reasons that its kind has; how a failed call reads, and whether a creation may have
// happened in spite of it.
import { fails, type Finding, holds } from "#api/conditions.ts";
import { mayExist } from "#ngrok/errors.ts";
import { known } from "#wire/errors.ts";

/** Findings with the reasons of one kind: a word that its definition does not have is a compile error. */
export function finding<Reason extends string>(): {
  readonly holds: (type: string, reason: Reason, message: string) => Finding;
  readonly fails: (type: string, reason: Reason, message: string) => Finding;
} {
  return { holds, fails };
}

/** One line: the code when the server gave one that the text does not hold already, the text without its last stop, what to do. */
export function failureText(error: unknown): string {
  const said = known(error);
  const { code, hint } = said;
  // ngrok's own words may end in a full stop, or be missing after the colon that announces them.
  const message = hint === undefined ? said.message : said.message.replace(/[\s:.]+$/, "");
  const coded = code === undefined || message.includes(code) ? message : `${code}: ${message}`;
  const full = hint === undefined || coded.includes(hint) ? coded : `${coded}: ${hint}`;
  return full.replaceAll(/\s+/g, " ").trim();
}

/**
 * The condition of a failed creation: False when it was refused, Unknown when the answer was lost. After a restart this
 * tells whether to look for what may have been made; a refused one must not lead to taking over a stranger's.
 *
 * @param mayBeThere what may have been made nobody knows of yet; the error does not tell where the look for it failed
 */
export function creationFailed(type: string, reason: string, error: unknown, mayBeThere = mayExist(error)): Finding {
  const message = failureText(error);
  return mayBeThere ? { type, status: "Unknown", reason, message } : fails(type, reason, message);
}

/**
 * The parts of an endpoint's Ready in the order in which they say why it is not. A policy that waits for the endpoint says
 * nothing of its own: what the endpoint waits for comes before it.
 */
export function inOrder(domain: Finding, policy: Finding | undefined, created: Finding): readonly Finding[] {
  if (policy === undefined) return [domain, created];
  return policy.reason === "Pending" ? [domain, created, policy] : [domain, policy, created];
}
