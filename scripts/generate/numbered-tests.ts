// Which tests carry the number of a known failure at the end of their names, found in the source without running it.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync, Visitor, type CallExpression, type Expression, type Super } from "oxc-parser";

/** One test, or one row of a table of tests. */
export interface NumberedTest {
  readonly path: string;
  /** With the names of what stands around it, without the numbers: `Delete > a refused key blocks`. */
  readonly name: string;
  readonly numbers: readonly string[];
}

const TESTS = [
  "{wire,kube,api,ngrok,drain,hooks,operator,scripts,tools,test}/**/*.test.ts",
  "test/faults/scenarios/*.ts",
];
const NUMBERS = / \(((?:[FWE]\d+)(?:, [FWE]\d+)*)\)$/;

/** All numbered tests below `top`, in the order of their paths. */
export function numberedTests(top: string): NumberedTest[] {
  return [...new Set(globSync(TESTS, { cwd: top, exclude: (path) => path.endsWith("node_modules") }))]
    .toSorted()
    .flatMap((path) => numberedIn(path, readFileSync(join(top, path), "utf8")));
}

/** The same for one file's text. A row of a table counts by its own words, as what vitest would print for it. */
export function numberedIn(path: string, text: string): NumberedTest[] {
  const found: NumberedTest[] = [];
  const around: string[] = [];
  const take = (words: string): void => {
    const [suffix, numbers] = NUMBERS.exec(words) ?? [];
    if (suffix === undefined || numbers === undefined) return;
    const name = [...around, words.slice(0, -suffix.length)].join(" > ");
    found.push({ path, name, numbers: numbers.split(", ") });
  };
  new Visitor({
    CallExpression(node) {
      if (isDescribe(node)) around.push(wordsOf(node.arguments[0]) ?? "");
    },
    "CallExpression:exit"(node) {
      if (isDescribe(node)) around.pop();
    },
    Literal: (node) => void (typeof node.value === "string" && take(node.value)),
    TemplateLiteral: (node) => take(node.quasis.map(({ value }) => value.cooked ?? "").join("...")),
  }).visit(parseSync(path, text).program);
  return found;
}

/** `describe("...", ...)`, also behind `.for(...)`, `.runIf(...)` and the like. */
function isDescribe(call: CallExpression): boolean {
  return rootOf(call.callee) === "describe" && wordsOf(call.arguments[0]) !== undefined;
}

function rootOf(callee: Expression | Super): string | undefined {
  if (callee.type === "Identifier") return callee.name;
  if (callee.type === "CallExpression") return rootOf(callee.callee);
  return callee.type === "MemberExpression" ? rootOf(callee.object) : undefined;
}

function wordsOf(argument: CallExpression["arguments"][number] | undefined): string | undefined {
  if (argument?.type === "Literal" && typeof argument.value === "string") return argument.value;
  return argument?.type === "TemplateLiteral"
    ? argument.quasis.map(({ value }) => value.cooked ?? "").join("...")
    : undefined;
}
