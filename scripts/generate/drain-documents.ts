// docs/drain-*.schema.json: what `ngrok-drain ... -o json` prints, as JSON Schema. Each object names exactly the fields of its
// type, or this file does not compile; the tests hold real output against the files.
import type { DrainProgress } from "#api/kubernetes-operator.ts";
import { drainPolicies } from "#api/schema.ts";
import type { Release } from "#api/release.ts";
import type { ToldObject } from "#drain/told.ts";
import type { Blocker, Forecast, KindForecast, Unanswered } from "#hooks/ngrok-drain/forecast.ts";
import type { ReportDocument } from "#hooks/ngrok-drain/report.ts";
import type { RescueDocument } from "#hooks/ngrok-drain/rescue.ts";
import type { Status } from "#hooks/ngrok-drain/status-page.ts";
import type { Trace } from "#hooks/ngrok-drain/traces.ts";
import type { GeneratedFile } from "./generated-file.ts";

interface JsonSchema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly minimum?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
}

type OptionalKey<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];

/** An object with the fields of T; all of them are required but `optional`. Fields may be added in later versions. */
function fields<T>(
  description: string,
  properties: { readonly [K in keyof Required<T>]: JsonSchema },
  ...optional: readonly (OptionalKey<T> & string)[]
): JsonSchema {
  const required = Object.keys(properties).filter((key) => !(optional as readonly string[]).includes(key));
  return { description, type: "object", properties, required };
}

const text = (description: string): JsonSchema => ({ description, type: "string" });
const maybeText = (description: string): JsonSchema => ({ description, type: ["string", "null"] });
const count = (description: string): JsonSchema => ({ description, type: "integer", minimum: 0 });
const flag = (description: string): JsonSchema => ({ description, type: "boolean" });
const list = (description: string, items: JsonSchema): JsonSchema => ({ description, type: "array", items });
const always = (value: unknown): JsonSchema => ({ const: value });
const policy: JsonSchema = { description: "What becomes of what is at ngrok.", enum: [...drainPolicies].toSorted() };
const perPolicy = (one: JsonSchema): JsonSchema =>
  fields<Record<"Retain" | "Delete", unknown>>("By policy.", { Retain: one, Delete: one });

const release = fields<Release>(
  "The install.",
  {
    name: text("Helm's release."),
    namespace: text("Its namespace."),
    fullname: text("The chart's fullname: what stands before -drain-state."),
    nameLabel: text("What app.kubernetes.io/name says on its pods; absent when that was not found."),
    watchNamespace: text("The one namespace that is watched; absent when all are."),
  },
  "nameLabel",
  "watchNamespace",
);

const mark = {
  policy,
  driver: { description: "Who began: Helm's hook, the operator, or a person.", enum: ["hook", "leader", "cli"] },
  by: text("Which pod, or which command."),
  since: text("When it was marked, RFC 3339; empty when nobody wrote it."),
};

const state: JsonSchema = {
  description: "The drain state.",
  anyOf: [
    fields<{ phase: "Unknown"; why: string; wish?: "Retain" }>(
      "It cannot be read, or the mark in it is not this ConfigMap's.",
      { phase: always("Unknown"), why: text("Why."), wish: always("Retain") },
      "wish",
    ),
    fields<{ phase: "Open"; explicit: boolean; wish?: "Retain" }>(
      "No drain.",
      {
        phase: always("Open"),
        explicit: flag("Whether the word Open stands there, as after a cancel."),
        wish: always("Retain"),
      },
      "wish",
    ),
    fields<{ phase: string } & Record<keyof typeof mark, unknown>>("A drain that runs, or has ended.", {
      phase: { enum: ["Draining", "Drained"] },
      ...mark,
    }),
  ],
};

const told = fields<ToldObject>("One object.", {
  kind: text("In lower case: domain."),
  object: text("<namespace>/<name>."),
  id: maybeText("Its id at ngrok, or the reserved address of a Service under Retain; null where none was recorded."),
  why: maybeText("Why it stayed; null where the policy says it."),
});

const leftAlone = list(
  "Objects with a finalizer of this operator that are not of this install.",
  fields<{ object: string; why: string }>("One object.", {
    object: text("<kind> <namespace>/<name>."),
    why: text("Whose."),
  }),
);

const readiness: JsonSchema = {
  description: "Whether an uninstall would get through.",
  enum: ["yes", "no", "unknown"],
};
const policies = list("Under which policies.", policy);

const plan = fields<Forecast>("What an uninstall would do. Nothing was changed.", {
  command: always("plan"),
  release,
  policy,
  policyFrom: text("Who says so."),
  crds: { description: "What becomes of our CustomResourceDefinitions.", enum: ["kept", "deleted"] },
  state,
  kinds: list(
    "Kinds with such objects.",
    fields<KindForecast>("One kind.", {
      kind: text("Ingress, Domain, ..."),
      ours: count("Objects of this install."),
      finalizer: count("Objects with a finalizer of this operator, whosever they are."),
      retain: text("What becomes of them under Retain, in words."),
      delete: text("The same under Delete."),
      remoteDeleted: count("What Delete would delete at ngrok."),
      remoteKept: count("What Delete would keep at ngrok all the same."),
    }),
  ),
  leftAlone,
  blockers: list(
    "What stands in the way.",
    fields<Blocker>("One reason.", { policies, reason: text("In words."), remedy: text("What to do or to type.") }),
  ),
  unanswered: list(
    "What nobody answered: never a yes.",
    fields<Unanswered>("One question.", {
      policies,
      what: text("What was asked for."),
      why: text("Why there is no answer."),
    }),
  ),
  calls: perPolicy(count("Calls to ngrok, at most.")),
  callsPerMinute: { description: "The limit that was reckoned with; 0 for none.", type: "number" },
  seconds: perPolicy(count("About how long.")),
  helmTimeoutSeconds: { description: "Helm's timeout as the hook reckons with it.", type: "number" },
  ready: perPolicy(readiness),
  notes: list("What was assumed.", text("A sentence.")),
});

const progress = fields<DrainProgress>(
  "status.drain of the KubernetesOperator.",
  {
    drainedResources: count("Objects from which everything of ours is off."),
    failedResources: count("Objects that could not be freed yet."),
    totalResources: count("Objects found."),
    errors: list("The last ones.", text("One object and the reason.")),
    phase: text("Draining or Drained."),
    policy,
    driver: mark.driver,
    startedAt: text("RFC 3339."),
    completedAt: text("RFC 3339."),
  },
  "errors",
  "phase",
  "policy",
  "driver",
  "startedAt",
  "completedAt",
);

const status = fields<Status>("Where the drain is; with --watch one such document a line.", {
  command: always("status"),
  release,
  state,
  policy,
  policyFrom: text("Who says so."),
  writer: maybeText("Who holds the write token: pod/<name>/<uid> or cli/<uuid>."),
  operator: {
    description: "The KubernetesOperator; null when there is none.",
    anyOf: [
      { type: "null" },
      fields<NonNullable<Status["operator"]>>("It is there.", {
        deleting: flag("It is being deleted, which nothing takes back."),
        ready: maybeText("The message of its Ready condition."),
      }),
    ],
  },
  drain: { description: "The drain as it shows it; null when it shows none.", anyOf: [{ type: "null" }, progress] },
});

const report = fields<ReportDocument>("What the last drain kept at ngrok, and what it removed.", {
  command: always("report"),
  release,
  policy: maybeText("The policy that it ended under; null without a report."),
  at: maybeText("When it was written, RFC 3339; null without a report."),
  complete: flag("False without a report, when a piece of it is missing, or when it was longer than all pieces hold."),
  kept: list("What stays at ngrok.", told),
  removed: list("What was deleted, in the cluster or at ngrok.", told),
});

const rescue = fields<RescueDocument>(
  "What was left of an install, what was planned, and, when it ran, what it came to.",
  {
    command: always("rescue"),
    release,
    ok: flag("Nothing of it is held any more; of a dry run: it would get through."),
    policy,
    found: list(
      "The traces.",
      fields<Trace>("One part of an install.", {
        what: text("Which part."),
        is: text("there, not there, not known, or more than that."),
      }),
    ),
    plan,
    refused: always(true),
    reason: text("Why nothing was done."),
    remedies: list("What to do or to type.", text("One.")),
    dryRun: always(true),
    ending: { description: "clean: all is free. blocked, paused: run it again.", enum: ["clean", "blocked", "paused"] },
    done: count("Objects freed."),
    total: count("Objects found."),
    remoteDeleted: count("Deleted at ngrok."),
    kept: list("What stays at ngrok, all of it.", told),
    leftAlone,
    errors: list("The last ones.", text("One object and the reason.")),
    next: text("What to type next."),
  },
  "refused",
  "reason",
  "remedies",
  "dryRun",
  "ending",
  "done",
  "total",
  "remoteDeleted",
  "kept",
  "leftAlone",
  "errors",
  "next",
);

/** By command: `docs/drain-<command>.schema.json`. */
const documents: Readonly<Record<string, JsonSchema>> = { plan, status, report, rescue };

export function drainDocumentFiles(): readonly GeneratedFile[] {
  return Object.entries(documents).map(([command, schema]) => {
    const head = { $schema: "http://json-schema.org/draft-07/schema#", title: `ngrok-drain ${command} -o json` };
    return { path: `docs/drain-${command}.schema.json`, text: `${JSON.stringify({ ...head, ...schema }, null, 2)}\n` };
  });
}
