// The metadata text that marks objects at ngrok: how spec.metadata becomes it, and how we tell our objects by it.

/** What spec.metadata becomes on the wire: "" when absent, a string as it is, anything else as compact JSON (an object of strings with sorted keys). */
export function metadataText(metadata: unknown): string {
  if (metadata === undefined || metadata === null) return "";
  if (typeof metadata === "string") return metadata;
  return JSON.stringify(isRecordOfTexts(metadata) ? sorted(metadata) : metadata);
}

/**
 * True when the remote object carries exactly the metadata that we would give it. Empty metadata marks nobody's object:
 * it is never ours.
 */
export function isOurs(remote: { readonly metadata: string }, ours: string): boolean {
  return ours !== "" && remote.metadata === ours;
}

const namespaceUid = "namespace.uid";

/** The registration's metadata: spec.metadata with the UID of the release namespace; unchanged when it is not a JSON object. */
export function operatorMetadata(metadata: unknown, uid: string): string {
  const text = metadataText(metadata);
  const fields = text === "" ? {} : objectIn(text);
  return fields === undefined ? text : JSON.stringify(sorted({ ...fields, [namespaceUid]: uid }));
}

/**
 * True when a registration of our release name and namespace is ours: its metadata is empty (registered before operators
 * said where they live), or names the UID of our release namespace.
 */
export function isOurOperator(remote: { readonly metadata: string }, uid: string): boolean {
  return remote.metadata === "" || objectIn(remote.metadata)?.[namespaceUid] === uid;
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRecordOfTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((entry) => typeof entry === "string");
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
