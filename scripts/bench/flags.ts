// What every bench is told in the same way.
import { InvalidArgumentError } from "commander";

export interface Common {
  /** Where the result goes as well. */
  readonly json?: string;
  /** The cluster's name. */
  readonly name: string;
  readonly keep: boolean;
  readonly plane?: boolean;
}

export function countOf(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1 to 99999.");
  return Number(text);
}
