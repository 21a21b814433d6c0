// What `ngrok-drain ... -o json` printed, held against its schema in docs/: every field is described, and is as described.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv } from "ajv";
import { TOP } from "./stage.ts";

/** The document that `text` holds; throws when it is not what docs/drain-<command>.schema.json says. */
export async function drainDocument<T>(command: string, text: string): Promise<T> {
  const schema = await readFile(join(TOP, `docs/drain-${command}.schema.json`), "utf8");
  // The schema allows fields that a later version adds; of this version there are none that it does not know.
  const strict = JSON.parse(schema, (_, value: unknown) => closed(value)) as object;
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
  const document = JSON.parse(text) as T;
  if (ajv.validate(strict, document)) return document;
  throw new Error(`${command}: ${ajv.errorsText()}\n${text}`);
}

function closed(value: unknown): unknown {
  const isObject = typeof value === "object" && value !== null && "properties" in value && "required" in value;
  return isObject ? { ...value, additionalProperties: false } : value;
}
