// What can come next on a command line: pure, from the commander program itself, so that completion knows no word of its own.
import type { Command, Option } from "commander";

export interface Candidate {
  readonly word: string;
  readonly does: string;
}

/** Undefined where file names are as good as anything. */
export type Candidates = readonly Candidate[] | undefined;

/**
 * The candidates for the last of `words`, which may be empty; the program's own name is not among them. bash parts words
 * at `=`, so that a flag and its value may come as three.
 */
export function candidatesFor(program: Command, words: readonly string[]): Candidates {
  const last = words.at(-1) ?? "";
  const current = last === "=" ? "" : last;
  const { command, positional, open } = walked(program, words.slice(0, -1));
  const [, flag, value] = /^(--[^=]+)=(.*)$/.exec(current) ?? [];
  if (flag !== undefined) {
    const values = valuesOf(optionNamed(program, command, flag));
    return values && begun(values, value ?? "").map(({ word, does }) => ({ word: `${flag}=${word}`, does }));
  }
  if (open !== undefined) return maybe(valuesOf(open), current);
  if (current.startsWith("-")) return begun(flagsOf(program, command), current);
  if (command === program) return begun(commandsOf(program), current);
  const argument = command.registeredArguments[positional];
  return begun(
    (argument?.argChoices ?? []).map((word) => ({ word, does: argument?.description ?? "" })),
    current,
  );
}

interface Walked {
  readonly command: Command;
  readonly positional: number;
  /** The option whose value comes next. */
  readonly open: Option | undefined;
}

function walked(program: Command, words: readonly string[]): Walked {
  let command = program;
  let positional = 0;
  let open: Option | undefined;
  for (const word of words) {
    if (word === "=") continue;
    if (open !== undefined) {
      open = undefined;
    } else if (word.startsWith("-")) {
      const option = word.includes("=") ? undefined : optionNamed(program, command, word);
      if (option !== undefined && (option.required || option.optional)) open = option;
    } else if (command === program) {
      command = program.commands.find((one) => one.name() === word) ?? program;
    } else {
      positional += 1;
    }
  }
  return { command, positional, open };
}

function optionsOf(program: Command, command: Command): readonly Option[] {
  return [...new Set([...command.options, ...program.options])].filter(({ hidden }) => !hidden);
}

function optionNamed(program: Command, command: Command, flag: string): Option | undefined {
  return optionsOf(program, command).find(({ long, short }) => long === flag || short === flag);
}

/** A flag with a closed list has these; of the others only a path can be guessed, by the shell. */
function valuesOf(option: Option | undefined): Candidates {
  if (option === undefined) return [];
  if (option.argChoices !== undefined) return option.argChoices.map((word) => ({ word, does: option.description }));
  return option.flags.includes("<path>") ? undefined : [];
}

function flagsOf(program: Command, command: Command): readonly Candidate[] {
  const flags = optionsOf(program, command).map(({ long, description }) => ({ word: long ?? "", does: description }));
  return [...flags, { word: "--help", does: "examples and exit codes" }];
}

function commandsOf(program: Command): readonly Candidate[] {
  return program.commands.map((one) => ({ word: one.name(), does: one.summary() }));
}

function maybe(candidates: Candidates, current: string): Candidates {
  return candidates && begun(candidates, current);
}

function begun(candidates: readonly Candidate[], current: string): readonly Candidate[] {
  return candidates.filter(({ word }) => word.startsWith(current));
}

/** As kubectl reads them of a plugin: a line each with what it does after a tab, then 4 for "no files" or 0 for "files". */
export function completionLines(candidates: Candidates): readonly string[] {
  const lines = (candidates ?? []).map(({ word, does }) => `${word}\t${does.split(/[.;]/)[0] ?? ""}`);
  return [...lines, candidates === undefined ? ":0" : ":4"];
}
