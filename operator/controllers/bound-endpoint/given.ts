// Which labels and annotations of a Service were asked for by its BoundEndpoint: remembered on the Service itself, so that
// those that are asked for no more go, and nobody else's do. Pure.
import { GIVEN } from "#api/binding.ts";
import type { ServiceObject } from "#kube/kinds.ts";
import { pointerStep } from "#kube/paths.ts";
import type { JsonPatchOperation } from "#kube/writer.ts";

type Texts = Readonly<Record<string, string>>;
const FIELDS = ["labels", "annotations"] as const;
type Keys = Readonly<Record<(typeof FIELDS)[number], readonly string[]>>;

/** The annotations that were asked for, with the memory of them and of the labels; undefined where nothing is asked for. */
export function withMemory({ labels = {}, annotations = {} }: { labels?: Texts; annotations?: Texts }) {
  const keys: Keys = { labels: Object.keys(labels).toSorted(), annotations: Object.keys(annotations).toSorted() };
  if (keys.labels.length + keys.annotations.length === 0) return undefined;
  return { ...annotations, [GIVEN]: JSON.stringify(keys) };
}

/** Takes away what was given once and is wanted no more, and in the end the memory itself. */
export function withdrawal({ metadata: wanted }: ServiceObject, { metadata: stored }: ServiceObject) {
  const given = memoryOf(stored.annotations);
  return FIELDS.flatMap((field) => {
    const keys = new Set([...given[field], ...(field === "annotations" ? [GIVEN] : [])]);
    return [...keys]
      .filter((key) => stored[field]?.[key] !== undefined && wanted[field]?.[key] === undefined)
      .map((key): JsonPatchOperation => ({ op: "remove", path: `/metadata/${field}/${pointerStep(key)}` }));
  });
}

/** Empty where there is none, as on a Service of an earlier release, or where somebody has spoilt it. */
function memoryOf(annotations: Texts | undefined): Keys {
  let said: unknown;
  try {
    said = JSON.parse(annotations?.[GIVEN] ?? "{}");
  } catch {
    said = {};
  }
  const fields: Readonly<Record<string, unknown>> = typeof said === "object" && said !== null ? { ...said } : {};
  const keys = (value: unknown): readonly string[] =>
    Array.isArray(value) ? value.filter((key): key is string => typeof key === "string") : [];
  return { labels: keys(fields["labels"]), annotations: keys(fields["annotations"]) };
}
