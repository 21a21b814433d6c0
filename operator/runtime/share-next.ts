// Many ask the same of the API server at once, 2,000 objects that are deleted for instance: they share an answer.

/** A read that is under way, and the one that begins when it has ended. */
export interface Flight<V> {
  readonly current: Promise<V>;
  next: Promise<V> | undefined;
}

/** A Map, or a WeakMap. */
interface Flights<K, V> {
  get(key: K): Flight<V> | undefined;
  set(key: K, flight: Flight<V>): unknown;
  delete(key: K): boolean;
}

/**
 * An answer that was read after the question: who asks while a read is under way shares the next one, never the one that began
 * before. Those who ask the same know each other by the key.
 */
export function shareNext<K, V>(flights: Flights<K, V>, key: K, read: () => Promise<V>): Promise<V> {
  const begin = (): Promise<V> => {
    const mine: Flight<V> = { current: read(), next: undefined };
    flights.set(key, mine);
    const land = (): void => {
      if (mine.next === undefined) flights.delete(key);
    };
    mine.current.then(land, land);
    return mine.current;
  };
  const flight = flights.get(key);
  if (flight === undefined) return begin();
  flight.next ??= flight.current.then(begin, begin);
  return flight.next;
}
