// Request bodies: JSON whose fields are all known and of the right type, or a 400 that names the field.
import { metadataTooLong, unknownField, unreadableBody, wrongField } from "./errors.ts";

type Check<T> = (value: unknown, name: string) => T;
type Shape = Record<string, Check<unknown>>;
/** What a body of this shape holds. A field that is absent or null is undefined: ngrok leaves it as it is. */
export type Fields<S extends Shape> = { readonly [K in keyof S]?: ReturnType<S[K]> | undefined };

/** Reads a body whose fields are exactly those of `shape`, each optional. Throws ApiError 400 on anything else. */
export function readFields<S extends Shape>(body: unknown, shape: S, prefix = ""): Fields<S> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw prefix === "" ? unreadableBody("expected a JSON object") : wrongField(prefix, "expected an object");
  }
  const fields: Partial<Record<keyof S, unknown>> = {};
  for (const [name, value] of Object.entries(body)) {
    const check = Object.hasOwn(shape, name) ? shape[name] : undefined;
    const path = prefix === "" ? name : `${prefix}.${name}`;
    if (check === undefined) throw unknownField(path, Object.keys(shape));
    if (value !== null && value !== undefined) fields[name as keyof S] = check(value, path);
  }
  return fields as Fields<S>;
}

/** The field, or a 400 that says it is missing. */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined || value === "") throw wrongField(name, "it is required");
  return value;
}

export const text: Check<string> = (value, name) => {
  if (typeof value !== "string") throw wrongField(name, "expected a string");
  return value;
};

export const flag: Check<boolean> = (value, name) => {
  if (typeof value !== "boolean") throw wrongField(name, "expected a boolean");
  return value;
};

const maxDescription = 255;
const maxMetadata = 4096;

/** Free text for people, at most 255 bytes. */
export const description: Check<string> = (value, name) => {
  const given = text(value, name);
  if (Buffer.byteLength(given) > maxDescription) throw wrongField(name, `longer than ${maxDescription} bytes`);
  return given;
};

/** Free text for machines, at most 4096 bytes. */
export const metadata: Check<string> = (value, name) => {
  const given = text(value, name);
  const bytes = Buffer.byteLength(given);
  if (bytes > maxMetadata) throw metadataTooLong(bytes, maxMetadata);
  return given;
};

export function listOf<T>(item: Check<T>): Check<T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) throw wrongField(name, "expected a list");
    return value.map((entry: unknown, i) => item(entry, `${name}[${i}]`));
  };
}

export function objectOf<S extends Shape>(shape: S): Check<Fields<S>> {
  return (value, name) => readFields(value, shape, name);
}
