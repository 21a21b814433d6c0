// May we? Asked of the API server before anything is begun, so that a missing right is known while nothing has changed.
import { KnownError } from "#wire/errors.ts";
import type { Connection } from "./connection.ts";
import { SelfSubjectAccessReview, type SelfSubjectAccessReviewObject } from "./kinds.ts";
import { apiVersionOf, listPath } from "./paths.ts";

/** One right: a verb on a resource, in a namespace (in all when undefined), on one name (on all when undefined). */
export interface AccessQuestion {
  readonly verb: string;
  /** "" for the core group. */
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface MissingRight extends AccessQuestion {
  /** `patch ingresses.networking.k8s.io in all namespaces`, for a message. */
  readonly text: string;
}

/** Reviews at once, where somebody waits for the answer. */
const PARALLEL = 16;

/**
 * Those of the rights that we lack, in the order in which they were asked. Equal questions are asked once.
 * Throws KnownError when the server cannot tell.
 */
export async function missingRights(
  connection: Connection,
  questions: readonly AccessQuestion[],
  signal: AbortSignal,
  parallel = PARALLEL,
): Promise<readonly MissingRight[]> {
  const asked = [...new Map(questions.map((question) => [textOf(question), question])).entries()];
  const missing = new Map<string, MissingRight>();
  const rest = asked.values();
  const work = async (): Promise<void> => {
    for (const [text, question] of rest) {
      if (!(await allowed(connection, question, signal))) missing.set(text, { ...question, text });
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return asked.flatMap(([text]) => missing.get(text) ?? []);
}

async function allowed(connection: Connection, question: AccessQuestion, signal: AbortSignal): Promise<boolean> {
  const version = SelfSubjectAccessReview.versions[0];
  const review: Omit<SelfSubjectAccessReviewObject, "metadata"> = {
    apiVersion: apiVersionOf(SelfSubjectAccessReview, version),
    kind: SelfSubjectAccessReview.kind,
    spec: { resourceAttributes: question },
  };
  const answer = (await connection.request({
    method: "POST",
    path: listPath(SelfSubjectAccessReview, version, undefined),
    body: review,
    signal,
  })) as SelfSubjectAccessReviewObject;
  if (answer.status === undefined) {
    throw new KnownError("transient", `the API server did not say whether we may ${textOf(question)}`);
  }
  return answer.status.allowed;
}

function textOf({ verb, group, resource, subresource, namespace, name }: AccessQuestion): string {
  const kind = group === "" ? resource : `${resource}.${group}`;
  const part = subresource === undefined ? "" : `/${subresource}`;
  const one = name === undefined ? "" : ` ${name}`;
  return `${verb} ${kind}${part}${one} ${namespace === undefined ? "in all namespaces" : `in namespace ${namespace}`}`;
}
