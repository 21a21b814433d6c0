// What `spec.metadata` of our kinds becomes on its way to ngrok, which knows it as text only.
import type { Metadata } from "./schema.ts";

/**
 * The text that ngrok keeps: text as it is, an object of strings with sorted keys (so that equal objects are equal
 * texts), any other JSON as it comes; absent and null are "".
 */
export function metadataText(metadata: Metadata | undefined): string {
  if (metadata === undefined || metadata === null) return "";
  if (typeof metadata === "string") return metadata;
  return JSON.stringify(isObjectOfStrings(metadata) ? sorted(metadata) : metadata);
}

function isObjectOfStrings(value: unknown): value is Record<string, string> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((one) => typeof one === "string")
  );
}

function sorted(object: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
