// The rules of the house as a table over the import graph; each violation is one sentence.
import { PRODUCT, type Import, type SourceFile } from "./graph.ts";

/** Rooms from the most particular to the most general; each may use itself and what its row names. */
const ROOMS: readonly { readonly room: string; readonly uses: readonly string[] }[] = [
  { room: "wire", uses: [] },
  { room: "kube", uses: ["wire"] },
  { room: "api", uses: ["kube"] },
  { room: "ngrok", uses: ["wire"] },
  { room: "drain", uses: ["ngrok", "api", "kube", "wire"] },
  { room: "hooks", uses: ["drain", "ngrok", "api", "kube", "wire"] },
  { room: "operator/runtime", uses: ["drain", "ngrok", "api", "kube", "wire"] },
  { room: "operator/translate", uses: ["api", "kube", "wire"] },
  { room: "operator/commands", uses: ["operator/translate", "api", "kube", "wire"] },
  { room: "operator/forwarding", uses: ["operator/runtime", "drain", "ngrok", "api", "kube", "wire"] },
  { room: "operator/endpoint", uses: ["operator/runtime", "drain", "ngrok", "api", "kube", "wire"] },
  {
    room: "operator/controllers",
    uses: [
      "operator/endpoint",
      "operator/translate",
      "operator/forwarding",
      "operator/runtime",
      "drain",
      "ngrok",
      "api",
      "kube",
      "wire",
    ],
  },
  {
    room: "operator/managers",
    uses: [
      "operator/controllers",
      "operator/endpoint",
      "operator/translate",
      "operator/forwarding",
      "operator/runtime",
      "drain",
      "ngrok",
      "api",
      "kube",
      "wire",
    ],
  },
  { room: "tools", uses: ["kube", "wire"] },
];

/** Packages that only one place may know. */
const PACKAGES: readonly { readonly name: RegExp; readonly only: RegExp; readonly why: string }[] = [
  { name: /^@kubernetes\/client-node/, only: /^(kube|test|scripts)\//, why: "only kube/ knows the Kubernetes client" },
  { name: /^@ngrok\/ngrok/, only: /^ngrok\/agent\.ts$/, why: "only ngrok/agent.ts knows the agent SDK" },
  { name: /^undici$/, only: /^(wire|test|scripts)\//, why: "only wire/ speaks HTTP" },
  { name: /^pino/, only: /^operator\/runtime\/log\.ts$/, why: "only operator/runtime/log.ts knows the logger" },
  {
    name: /^prom-client$/,
    only: /^operator\/runtime\/metrics\.ts$/,
    why: "only operator/runtime/metrics.ts knows the metrics library",
  },
];

/** Files in which data goes in and data comes out. */
const PURE =
  /^(api\/(?!.*\.test\.ts).*|operator\/translate\/.*|operator\/controllers\/.*\/plan|drain\/(ours|plan|trigger|events|report|lines|names|made-for))\.ts$/;
const IMPURE = /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|setTimeout|setInterval|fetch\(|process\.)/;

export function violations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [
    ...file.imports.flatMap((one) => ofImport(one)),
    ...(isProduct(file.path) ? ofProduct(file) : []),
    ...ofName(file.path),
  ]);
}

function ofImport({ from, to, typeOnly }: Import): string[] {
  const said: string[] = [];
  const source = roomOf(from);
  const target = roomOf(to);
  const test = isTest(from);
  if (source !== undefined && target !== undefined && source !== target && !test) {
    const row = ROOMS.find(({ room }) => room === source);
    if (row !== undefined && !row.uses.includes(target))
      said.push(`${from} imports ${to}: ${source} may not use ${target}`);
  }
  if (isProduct(from) && !test && /^(scripts|tools|test)\//.test(to))
    said.push(`${from} imports ${to}: the product knows neither scripts, tools nor test`);
  if (!test && source === "api" && target === "kube" && !["kube/kind.ts"].includes(to))
    said.push(`${from} imports ${to}: api knows of kube only kind.ts`);
  if (
    !test &&
    (source === "drain" || source === "operator/controllers") &&
    target === "ngrok" &&
    !typeOnly &&
    !["ngrok/errors.ts", "ngrok/metadata.ts"].includes(to)
  ) {
    said.push(`${from} imports ${to}: of ngrok only types, and values of errors.ts and metadata.ts`);
  }
  if (source === "operator/controllers" && target === source && controllerOf(from) !== controllerOf(to) && !test) {
    said.push(`${from} imports ${to}: controllers do not know each other`);
  }
  if (from === "test/support/residue.ts" && /^(drain|api|hooks|operator)\//.test(to))
    said.push(`${from} imports ${to}: it must count by itself`);
  if (from.startsWith("test/support/ngrok-") && to.startsWith("ngrok/"))
    said.push(`${from} imports ${to}: the stand-in shares nothing with the client`);
  for (const { name, only, why } of PACKAGES)
    if (name.test(to) && !only.test(from) && !test) said.push(`${from} imports ${to}: ${why}`);
  return said;
}

function ofProduct(file: SourceFile): string[] {
  const { path, text, imports, effects } = file;
  if (isTest(path)) return [];
  const said: string[] = [];
  if (!path.endsWith("/main.ts")) {
    for (const effect of effects) said.push(`${path} does something when it is imported: ${effect.slice(0, 60)}`);
    if (/(^|[^.\w])process\.(env|argv|exit|on\b|once\b|exitCode)/m.test(withoutComments(text)))
      said.push(`${path} uses process: only main.ts files do`);
  }
  if (PURE.test(path)) {
    const match = IMPURE.exec(withoutComments(text));
    if (match !== null) said.push(`${path} is pure, but says ${match[0]}`);
    for (const { to } of imports)
      if (to.startsWith("node:") && !(to === "node:crypto" && path === "api/names.ts"))
        said.push(`${path} is pure, but imports ${to}`);
  }
  if (/\buserAgent: ["'`]\w/.test(text))
    said.push(`${path} names its calls: kube/written.ts has the names, by which our writes are known for ours`);
  if (text.split("\n").length > 301) said.push(`${path} has more than 300 lines`);
  return said;
}

function ofName(path: string): string[] {
  const [, name] = /([^/]+)\.ts$/.exec(path) ?? [];
  return name === "index" || name === "utils" || name === "helpers" || name === "util" || name === "helper"
    ? [`${path}: no barrels, no utils, no helpers`]
    : [];
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
}

function roomOf(path: string): string | undefined {
  return ROOMS.map(({ room }) => room).find((room) => path.startsWith(`${room}/`));
}

function controllerOf(path: string): string | undefined {
  return path.split("/")[2];
}

function isProduct(path: string): boolean {
  return PRODUCT.some((room) => path.startsWith(`${room}/`));
}

function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || path.startsWith("test/");
}
