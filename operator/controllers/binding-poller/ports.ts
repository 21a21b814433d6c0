// The ports at which the forwarders listen, one an address: kept while the address stays, found by the address and not by
// the order of arrival, never given twice. Pure.
import { shortHash } from "#api/names.ts";

const FIRST = 10_000;
/** From here on Linux gives ports by itself, to connections that go out: a forwarder's own may have one just then. */
const OUTGOING = 32_768;
/** Beyond the last that may be given. */
const END = 65_535;

export function isForwarderPort(port: number): boolean {
  return Number.isInteger(port) && port >= FIRST && port < END;
}

/** A port that is not in `taken`, the same for the same address where it can be; undefined when there is none. */
export function freePort(endpointURL: string, taken: ReadonlySet<number>): number | undefined {
  return freeFrom(FIRST, OUTGOING, endpointURL, taken) ?? freeFrom(OUTGOING, END, endpointURL, taken);
}

function freeFrom(first: number, end: number, endpointURL: string, taken: ReadonlySet<number>): number | undefined {
  const size = end - first;
  const start = Number.parseInt(shortHash(endpointURL), 16) % size;
  for (let step = 0; step < size; step += 1) {
    const port = first + ((start + step) % size);
    if (!taken.has(port)) return port;
  }
  return undefined;
}
