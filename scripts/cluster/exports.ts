// The shell code of `cluster env`: assignments only, quoted, so that it can be evaluated by any POSIX shell.
import type { Cluster } from "#tools/cluster/provider.ts";

/** Lines of `export NAME='value'`; `folders` come before what the shell that evaluates them has on its PATH. */
export function shellExports(folders: readonly string[], cluster: Pick<Cluster, "env"> | undefined): string[] {
  const variables = Object.entries(cluster?.env ?? {}).map(([name, value]) => `export ${name}=${quoted(value)}`);
  return [`export PATH=${quoted(folders.join(":"))}:"$PATH"`, ...variables];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
