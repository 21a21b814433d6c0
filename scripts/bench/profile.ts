// Where the time of a hook's process went: the heaviest functions of a CPU profile, by the sources that the bundle was made
// of. The whole profile opens in any browser's developer tools.
import { readdir, readFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
      readonly columnNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The newest profile of the folder as lines for people, heaviest first: milliseconds, share, function, source. */
export async function heaviest(folder: string, rows = 25): Promise<string[]> {
  const file = (await readdir(folder))
    .filter((one) => one.endsWith(".cpuprofile"))
    .toSorted()
    .at(-1);
  if (file === undefined) return [`${folder} holds no profile`];
  const profile = JSON.parse(await readFile(join(folder, file), "utf8")) as CpuProfile;
  const micros = new Map<number, number>();
  for (const [at, id] of profile.samples.entries())
    micros.set(id, (micros.get(id) ?? 0) + (profile.timeDeltas[at] ?? 0));
  const maps = new Map<string, SourceMap | undefined>();
  const sums = new Map<string, number>();
  let total = 0;
  for (const { id, callFrame } of profile.nodes) {
    const time = micros.get(id) ?? 0;
    if (callFrame.functionName === "(idle)") continue;
    // The bundle's own names are short; the map knows the written ones.
    const { at, name } = await sourceOf(callFrame, maps);
    const label = `${name ?? (callFrame.functionName || "(anonymous)")}  ${at}`;
    sums.set(label, (sums.get(label) ?? 0) + time);
    total += time;
  }
  const lines = [...sums].toSorted(([, a], [, b]) => b - a).slice(0, rows);
  return [
    `${join(folder, file)}: ${(total / 1000).toFixed(0)} ms of processor, by self time`,
    ...lines.map(([label, time]) => {
      const share = ((time / total) * 100).toFixed(1);
      return `${(time / 1000).toFixed(0).padStart(6)} ms ${share.padStart(5)} %  ${label}`;
    }),
  ];
}

async function sourceOf(
  { url, lineNumber, columnNumber }: CpuProfile["nodes"][number]["callFrame"],
  maps: Map<string, SourceMap | undefined>,
): Promise<{ at: string; name?: string }> {
  if (!url.startsWith("file:")) return { at: url };
  const path = fileURLToPath(url);
  if (!maps.has(path)) {
    const text = await readFile(`${path}.map`, "utf8").catch(() => undefined);
    maps.set(path, text === undefined ? undefined : new SourceMap(JSON.parse(text) as SourceMap["payload"]));
  }
  const entry = maps.get(path)?.findEntry(lineNumber, columnNumber);
  if (entry === undefined || !("originalSource" in entry)) return { at: path };
  const source = entry.originalSource.replace(/^(\.\.\/)+/, "");
  // Node returns the name, its types do not know it.
  const { name } = entry as typeof entry & { readonly name?: string };
  return { at: `${source}:${entry.originalLine + 1}`, ...(name ? { name } : {}) };
}
