// What a run was disturbed by, as far as the machine says.
import { cpus, loadavg } from "node:os";
import { rounded } from "./arithmetic.ts";

export interface Machine {
  readonly cores: number;
  /** Of the last minute. */
  readonly loadAverage: number;
}

/** As it is before the work begins. */
export function loadOf(): Machine {
  return { cores: cpus().length, loadAverage: rounded(loadavg()[0] ?? 0) };
}
