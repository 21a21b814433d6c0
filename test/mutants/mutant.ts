// What a mutant is, and the words in which the lists beside this file say them.

/** A test as vitest finds it: the tests of the file whose names contain `name`. */
export interface NamedTest {
  readonly project: "unit" | "chart" | "apiserver";
  readonly file: string;
  readonly name: string;
}

export interface Mutant {
  /** The failure whose remedy goes. */
  readonly id: string;
  /** What the program does without it. */
  readonly what: string;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  readonly test: NamedTest;
}

export const protocol: NamedTest = {
  project: "unit",
  file: "test/model/protocol.test.ts",
  name: "in every interleaving one writes, the policy holds, nothing is left, and every uninstall ends",
};

export const unit = (file: string, name: string): NamedTest => ({ project: "unit", file, name });
export const chart = (file: string, name: string): NamedTest => ({ project: "chart", file, name });
export const apiserver = (file: string, name: string): NamedTest => ({ project: "apiserver", file, name });
