// What one of our kinds says about itself: everything that a CRD, a test and a reader need, on one screen.
import type { Kind, KubeObject } from "#kube/kind.ts";

export interface Column {
  name: string;
  type: "string" | "integer" | "date";
  jsonPath: string;
  /** 0 is shown always, more only with `-o wide`. */
  priority?: number;
}

export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
  observedGeneration?: number;
  lastTransitionTime: string;
}

/** The part of every status of ours. */
export interface CommonStatus {
  conditions?: Condition[];
  observedGeneration?: number;
}

export interface OwnObject extends KubeObject {
  status?: CommonStatus;
}

export interface OwnKind<T extends OwnObject = OwnObject> extends Kind<T> {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  /** OpenAPI v3 schemas of `spec` and `status`, as they stand in the CRD. */
  readonly spec: Schema;
  readonly status: Schema;
  readonly columns: readonly Column[];
  /** Condition types and the reasons that each may carry. */
  readonly reasons: Readonly<Record<string, readonly string[]>>;
}

/** Whether the kind is one of those that we bring to a cluster. */
export function isOwnKind(kind: Kind): kind is OwnKind {
  return "reasons" in kind;
}

/** An OpenAPI v3 schema in the subset that a CustomResourceDefinition allows. */
export interface Schema {
  type?: "object" | "string" | "integer" | "boolean" | "array";
  description?: string;
  default?: unknown;
  enum?: readonly string[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  nullable?: boolean;
  required?: readonly string[];
  properties?: Readonly<Record<string, Schema>>;
  additionalProperties?: Schema;
  items?: Schema;
  "x-kubernetes-preserve-unknown-fields"?: true;
  "x-kubernetes-list-type"?: "map" | "atomic" | "set";
  "x-kubernetes-map-type"?: "atomic";
  "x-kubernetes-list-map-keys"?: readonly string[];
  "x-kubernetes-validations"?: readonly { rule: string; message: string }[];
}

/** Checks what a definition must hold, at import: a wrong kind never gets as far as a cluster. */
export function defineKind<T extends OwnObject>(kind: OwnKind<T>): OwnKind<T> {
  for (const column of kind.columns) {
    if (!column.jsonPath.startsWith("."))
      throw new Error(`${kind.kind}: column ${column.name} needs a path like .status.id`);
  }
  return kind;
}
