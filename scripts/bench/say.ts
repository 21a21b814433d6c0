// What the bench tells on its way: one line a step, with its time, on stderr; stdout is for results.

export interface Say {
  readonly line: (text: string) => void;
  /** Runs a step; the line says how long it took. */
  readonly step: <T>(what: string, work: () => Promise<T>) => Promise<T>;
}

export function sayOn(print: (line: string) => void, now: () => number): Say {
  const line = (text: string): void => print(`        ${text}`);
  return {
    line,
    async step(what, work) {
      const began = now();
      const result = await work();
      print(`${((now() - began) / 1000).toFixed(1).padStart(5)} s ${what}`);
      return result;
    },
  };
}
