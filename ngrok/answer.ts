// Reading ngrok's answers: fields by name, absent and null alike, and one clear error when what must be there is not.
import { unreadable } from "./errors.ts";

/** A JSON object as it came. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value as an object; `what` names it in the error. */
export function object(value: unknown, what: string): Fields {
  if (!isFields(value)) throw unreadable(`${what} is not a JSON object`);
  return value;
}

/** The value as an object, one without fields when it is none: for an entry that may not spoil the others. */
export function objectOrEmpty(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** The entries of a list that must be there. */
export function entries(of: Fields, name: string): readonly unknown[] {
  const list: unknown = of[name];
  if (!Array.isArray(list)) throw unreadable(`the list "${name}" is missing`);
  return list;
}

/** The id, which every object has. */
export function idOf(of: Fields): string {
  const { id } = of as { id?: unknown };
  if (typeof id !== "string" || id === "") throw unreadable("an object without id");
  return id;
}

/** A text, "" when absent. */
export function text(of: Fields, name: string): string {
  const value = of[name];
  return typeof value === "string" ? value : "";
}

/** A text, undefined when absent or empty. */
export function maybe(of: Fields, name: string): string | undefined {
  const value = text(of, name);
  return value === "" ? undefined : value;
}

/** A list of texts, empty when absent. */
export function texts(of: Fields, name: string): readonly string[] {
  const list = of[name];
  return Array.isArray(list) ? list.filter((entry: unknown) => typeof entry === "string") : [];
}

/** An object inside, undefined when absent. */
export function child(of: Fields, name: string): Fields | undefined {
  const value = of[name];
  return isFields(value) ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
