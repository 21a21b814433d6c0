// A value that is nested deeper than any walk over it can go by calling itself: the API server stores up to 10,000 levels.

/** A map whose one field `a` holds lists in lists; twice as long as JSON text, in bytes, as it is deep. */
export function nested(levels = 9_000): Record<string, unknown> {
  return JSON.parse(nestedText(levels)) as Record<string, unknown>;
}

/** What `nested` says, as text. */
export function nestedText(levels = 9_000): string {
  return `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`;
}
