// What a server means by its Retry-After header: seconds or a date (RFC 9110, 10.2.3).
import type { Clock } from "./clock.ts";

/**
 * Milliseconds to wait, never negative; undefined when the header is missing or unreadable. A date is measured against
 * the server's own `Date` header where it sent one, so that a wrong clock on either side does not matter.
 */
export function retryAfterMs(header: string | undefined, date: string | undefined, clock: Clock): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const at = Date.parse(text);
  if (Number.isNaN(at)) return undefined;
  const sent = date === undefined ? Number.NaN : Date.parse(date);
  return Math.max(0, at - (Number.isNaN(sent) ? clock.date().getTime() : sent));
}
