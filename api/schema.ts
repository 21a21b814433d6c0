// The shapes that several of our kinds share: schema pieces, and the types that go with them.
import type { Column, CommonStatus, Schema } from "./define-kind.ts";

/** One version, served and stored, for all seven kinds. */
export const API_VERSION = "v1alpha1";

export type DrainPolicy = "Delete" | "Retain";
export const drainPolicies = ["Delete", "Retain"] as const;

/** A name in the namespace of the object that refers. */
export interface LocalRef {
  name: string;
}

/** A name and a namespace; without one, the namespace of the object that refers. */
export interface NamespacedRef {
  name: string;
  namespace?: string;
}

/** What users write under `spec.metadata`: text, or any JSON that becomes text (see metadata.ts). */
export type Metadata = string | number | boolean | null | readonly unknown[] | { readonly [key: string]: unknown };

/** The reasons of a kind's `as const` table, as a union. */
export type ReasonOf<Table extends Readonly<Record<string, readonly string[]>>> = Table[keyof Table][number];

type Extra = Omit<Schema, "type" | "description">;

export function text(description: string, extra: Extra = {}): Schema {
  return { type: "string", description, ...extra };
}

export function flag(description: string): Schema {
  return { type: "boolean", description };
}

export function integer(description: string, extra: Extra = {}): Schema {
  return { type: "integer", description, ...extra };
}

export function dateTime(description: string): Schema {
  return { type: "string", format: "date-time", description };
}

export function list(description: string, items: Schema, extra: Extra = {}): Schema {
  return { type: "array", description, items, ...extra };
}

export function object(
  description: string,
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
  extra: Extra = {},
): Schema {
  return { type: "object", description, ...extra, properties, ...(required.length === 0 ? {} : { required }) };
}

/** An object whose content the API server stores as it comes: traffic policies have a schema of their own at ngrok. */
export function freeObject(description: string): Schema {
  return { type: "object", description, "x-kubernetes-preserve-unknown-fields": true };
}

/** Any JSON value. */
export function anything(description: string, extra: Extra = {}): Schema {
  return { description, ...extra, "x-kubernetes-preserve-unknown-fields": true };
}

export function stringMap(description: string, value: string): Schema {
  return { type: "object", description, additionalProperties: text(value) };
}

export function localRef(description: string, name: string): Schema {
  return object(description, { name: text(name) }, ["name"]);
}

export function namespacedRef(description: string, extra: Extra = {}): Schema {
  const properties = { name: text("Name of the object."), namespace: text("Namespace of the object.") };
  return object(description, properties, ["name"], extra);
}

/** The default is JSON text, not an object: so it has always been stored, and so it goes to ngrok unchanged. */
export function metadataSchema(what: string): Schema {
  return anything(
    `Data of yours that ngrok keeps with ${what}: text, or an object of strings, which is stored at ngrok as JSON text.`,
    { default: '{"owned-by":"ngrok-operator"}' },
  );
}

export function descriptionSchema(what: string, value: string, extra: Extra = {}): Schema {
  return text(`What people read about ${what} in the ngrok dashboard.`, { default: value, ...extra });
}

export const bindingsSchema: Schema = list(
  "Where the endpoint can be reached from: public (the internet, also when nothing is given), internal (other ngrok " +
    "endpoints of the account) or kubernetes (clusters with the bindings feature). One value at most.",
  text("One of public, internal and kubernetes.", { pattern: "^(public|internal|kubernetes)$" }),
  { maxItems: 1 },
);

export const inlinePolicySchema: Schema = freeObject("The traffic policy itself, as ngrok documents it.");

export const policyRefSchema: Schema = localRef(
  "An NgrokTrafficPolicy that holds the policy.",
  "Name of the NgrokTrafficPolicy, in the namespace of this object.",
);

/** A status with the common fields and `properties`. */
export function statusSchema(what: string, properties: Readonly<Record<string, Schema>> = {}): Schema {
  return object(`What the operator last saw of ${what}. Written by the operator alone.`, {
    ...properties,
    conditions: conditionsSchema,
    observedGeneration: integer("The generation of the spec that this status speaks of.", { format: "int64" }),
  });
}

const conditionsSchema: Schema = list(
  "How far the object has come, one entry per aspect; Ready sums them up.",
  object(
    "One aspect of the state.",
    {
      type: text("Which aspect this is, in CamelCase.", {
        maxLength: 316,
        pattern:
          "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
      }),
      status: text("Whether it holds: True, False or Unknown.", { enum: ["True", "False", "Unknown"] }),
      observedGeneration: integer("The generation of the spec that this condition speaks of.", {
        format: "int64",
        minimum: 0,
      }),
      lastTransitionTime: dateTime("When the status last became another one."),
      reason: text("One word for the cause, fit for programs.", {
        minLength: 1,
        maxLength: 1024,
        pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
      }),
      message: text("The cause in a sentence, for people; may be empty.", { maxLength: 32768 }),
    },
    ["lastTransitionTime", "message", "reason", "status", "type"],
  ),
  { maxItems: 8, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] },
);

/** A column that shows one field; priority 1 and more only with `-o wide`. */
export function column(name: string, jsonPath: string, priority = 0, type: Column["type"] = "string"): Column {
  return priority === 0 ? { name, type, jsonPath } : { name, type, jsonPath, priority };
}

/** A column that shows a part of one condition. */
export function conditionColumn(
  name: string,
  type: string,
  part: "status" | "reason" | "message" = "status",
  priority = 0,
): Column {
  return column(name, `.status.conditions[?(@.type=="${type}")].${part}`, priority);
}

export const readyColumn: Column = conditionColumn("Ready", "Ready");
export const ageColumn: Column = column("Age", ".metadata.creationTimestamp", 0, "date");
export const reasonColumn: Column = conditionColumn("Reason", "Ready", "reason", 1);
export const messageColumn: Column = conditionColumn("Message", "Ready", "message", 1);

/** A status that points at a Domain that the operator made or found for the endpoint. */
export interface EndpointStatus extends CommonStatus {
  assignedURL?: string;
  domainRef?: NamespacedRef | null;
}

export const assignedUrlSchema: Schema = text("The address at which ngrok serves the endpoint.");
export const domainRefSchema: Schema = namespacedRef(
  "The Domain that reserves the host of this endpoint; none where no reservation is needed.",
  { nullable: true },
);
