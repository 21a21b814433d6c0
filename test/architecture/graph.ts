// The import graph as the code has it: every way in which one file can name another, types told from values.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parseSync } from "oxc-parser";

export interface Import {
  readonly from: string;
  /** A path in the repository, or a package's name. */
  readonly to: string;
  readonly typeOnly: boolean;
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  /** Statements at the top that do something as soon as the file is imported. */
  readonly effects: readonly string[];
}

export const PRODUCT = ["wire", "kube", "api", "ngrok", "drain", "hooks", "operator"] as const;
const CODE = "{wire,kube,api,ngrok,drain,hooks,operator,scripts,tools,test}/**/*.ts";

/** All source files of the checkout, read and parsed. */
export function sourceFiles(): SourceFile[] {
  return globSync(CODE)
    .filter((path) => !path.includes("node_modules"))
    .sort()
    .map((path) => parseFile(path, readFileSync(path, "utf8")));
}

export function parseFile(path: string, text: string): SourceFile {
  const { module, program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const imports: Import[] = [];
  const add = (request: string, typeOnly: boolean) =>
    imports.push({ from: path, to: resolve(path, request), typeOnly });
  for (const one of module.staticImports) {
    add(one.moduleRequest.value, one.entries.length > 0 && one.entries.every(({ isType }) => isType));
  }
  for (const { entries } of module.staticExports) {
    for (const entry of entries) if (entry.moduleRequest) add(entry.moduleRequest.value, entry.isType);
  }
  for (const { moduleRequest } of module.dynamicImports) {
    add(text.slice(moduleRequest.start, moduleRequest.end).replaceAll(/^["'`]|["'`]$/g, ""), false);
  }
  // The type form `import("...").T` is in neither list.
  for (const [, request] of text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)\s*\./g))
    if (request !== undefined) add(request, true);
  const effects = program.body
    .filter(
      ({ type }) =>
        type === "ExpressionStatement" || type === "ForStatement" || type === "IfStatement" || type === "TryStatement",
    )
    .map(({ start, end }) => text.slice(start, end));
  return { path, text, imports, effects };
}

function resolve(from: string, request: string): string {
  if (request.startsWith("#hooks/")) return `hooks/src/${request.slice("#hooks/".length)}`;
  if (request.startsWith("#")) return request.slice(1);
  if (request.startsWith(".")) return normalize(join(dirname(from), request));
  return request;
}
