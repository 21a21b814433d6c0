// Ids as ngrok makes them: a prefix, then 27 base62 characters that sort by the time of creation.

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const timeWidth = 6;
const serialWidth = 5;
const randomWidth = 16;

let lastSecond = 0;
let serial = 0;

/**
 * A new id, e.g. `ep_0Vk2aB00001x7...`. Every id is greater (as a string) than those made before it in this process:
 * lists are pages over sorted ids, and `before_id` must still find its place when that object is gone.
 */
export function newId(prefix: string): string {
  // A clock that is set back must not break the order.
  lastSecond = Math.max(lastSecond, Math.floor(Date.now() / 1000));
  serial += 1;
  let random = "";
  for (let i = 0; i < randomWidth; i += 1) random += alphabet.charAt(Math.floor(Math.random() * 62));
  return `${prefix}_${base62(lastSecond, timeWidth)}${base62(serial, serialWidth)}${random}`;
}

function base62(value: number, width: number): string {
  let text = "";
  let rest = value;
  for (let i = 0; i < width; i += 1) {
    text = alphabet.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** A time as ngrok writes it: RFC 3339 in UTC, whole seconds. */
export function timestamp(date: Date = new Date()): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
