// What `spec.metadata` of our kinds becomes on its way to ngrok, which knows it as text only.
import { isTooDeep } from "./nesting.ts";
import type { Metadata } from "./schema.ts";

/**
 * The text that ngrok keeps: text as it is, an object of strings with sorted keys (so that equal objects are equal
 * texts), any other JSON as it comes; absent and null are "".
 */
export function metadataText(metadata: Metadata | undefined): string {
  if (metadata === undefined || metadata === null) return "";
  if (typeof metadata === "string") return metadata;
  if (isTooDeep(metadata)) return deepText(metadata);
  return JSON.stringify(isObjectOfStrings(metadata) ? sorted(metadata) : metadata);
}

/**
 * As JSON.stringify, which cannot go as deep as the API server stores. Nothing is refused here, since what unmakes an object
 * asks for this text as well: ngrok says what it thinks of it, as of any other that is too long.
 */
function deepText(metadata: Metadata): string {
  const said: string[] = [];
  // What comes last is said next.
  const left: Part[] = [{ value: metadata }];
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if ("text" in part) said.push(part.text);
    else if (typeof part.value !== "object" || part.value === null) said.push(JSON.stringify(part.value));
    else for (const inner of partsOf(part.value).toReversed()) left.push(inner);
  }
  return said.join("");
}

type Part = { readonly text: string } | { readonly value: unknown };

function partsOf(value: object): Part[] {
  const [begin, end] = Array.isArray(value) ? "[]" : "{}";
  const parts = Object.entries(value).flatMap(([key, inner], at): Part[] => [
    { text: `${at === 0 ? "" : ","}${begin === "{" ? `${JSON.stringify(key)}:` : ""}` },
    { value: inner },
  ]);
  return [{ text: begin ?? "" }, ...parts, { text: end ?? "" }];
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
