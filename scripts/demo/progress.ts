// The demo's words for a person: one line a step with its time, and under it what there is to see.

export interface Progress {
  /** Runs one step; its line is printed when it is done, so that the time stands in it. */
  readonly step: <T>(word: string, work: () => Promise<T>, says: (result: T) => string) => Promise<T>;
  /** A line below a step. */
  readonly detail: (line: string) => void;
  /** The first lines of a longer text, and how many more there are. */
  readonly excerpt: (text: string, lines: number) => void;
}

/** Everything goes to `print`, one line a call; `now` is monotonic milliseconds. */
export function progressOn(print: (line: string) => void, now: () => number): Progress {
  const detail = (line: string): void => print(`             ${line}`);
  return {
    async step(word, work, says) {
      const began = now();
      const result = await work();
      print(`${((now() - began) / 1000).toFixed(1).padStart(6)} s  ${word.padEnd(10)} ${says(result)}`);
      return result;
    },
    detail,
    excerpt(text, lines) {
      const all = text.split("\n").filter((line) => line.trim() !== "");
      for (const line of all.slice(0, lines)) detail(line.slice(0, 140));
      if (all.length > lines) detail(`... and ${all.length - lines} more lines`);
    },
  };
}
