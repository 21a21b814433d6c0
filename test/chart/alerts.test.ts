// The alerts as Prometheus itself reads them (promtool): each fires when it must, with the words that it should have, and is
// silent otherwise.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { promtool } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { type AlertStory, alertStories } from "./alert-stories.ts";
import { objects } from "./helm.ts";

interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
type Groups = readonly { readonly name: string; readonly rules: readonly AlertRule[] }[];

let folder: string;
let program: string;
let groups: Groups;

// On a fresh machine this builds, and where much else runs for long.
beforeAll(async () => {
  program = await promtool((line) => void process.stderr.write(`${line}\n`));
  folder = await mkdtemp(join(tmpdir(), "alerts-"));
  const all = await objects({ set: ["metrics.rules.enabled=true"] });
  groups = (all.find(({ kind }) => kind === "PrometheusRule")?.spec as { groups?: Groups } | undefined)?.groups ?? [];
  await writeFile(join(folder, "rules.yaml"), stringify({ groups }));
}, 1_800_000);

afterAll(async () => await rm(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<string> {
  return await command(program, args, { cwd: folder });
}

/** The rule's annotations, with what the labels say. */
function words(rule: AlertRule, labels: Readonly<Record<string, string>>): Record<string, string> {
  const filled = (text: string): string =>
    text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? "");
  return Object.fromEntries(Object.entries(rule.annotations).map(([name, text]) => [name, filled(text)]));
}

/** The story as promtool reads it. */
function asTest({ alert, what, lines, minutes, fires }: AlertStory): object {
  const rule = groups.flatMap(({ rules }) => rules).find((one) => one.alert === alert);
  if (rule === undefined) throw new Error(`the chart has no alert ${alert}`);
  const expected = fires && { exp_labels: { ...rule.labels, ...fires }, exp_annotations: words(rule, fires) };
  const input_series = lines.map(([series, values]) => ({ series, values }));
  const look = { eval_time: `${minutes}m`, alertname: alert, exp_alerts: expected ? [expected] : [] };
  return { name: what, interval: "1m", input_series, alert_rule_test: [look] };
}

async function play(name: string, stories: readonly AlertStory[]): Promise<string> {
  const file = join(folder, `${name}.yaml`);
  const tests = stories.map(asTest);
  await writeFile(file, stringify({ rule_files: ["rules.yaml"], evaluation_interval: "1m", tests }));
  return await run("test", "rules", file);
}

test("Prometheus reads every rule, and finds nothing to say of it", async () => {
  const said = await run("check", "rules", "--lint=all", "--lint-fatal", "rules.yaml");
  expect(said).toContain(`SUCCESS: ${groups.flatMap(({ rules }) => rules).length} rules found`);
});

const byAlert = [...Map.groupBy(alertStories, ({ alert }) => alert)];

test.for(byAlert)("%s fires when it must, and is silent otherwise", async ([alert, stories]) => {
  expect(await play(alert, stories)).toContain("SUCCESS");
});

test("every alert has a story in which it fires and one in which it does not", () => {
  const told = (fires: boolean): string[] =>
    alertStories.filter((story) => (story.fires !== undefined) === fires).map(({ alert }) => alert);
  const all = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  expect(all.length).toBeGreaterThan(5);
  expect(new Set(told(true))).toEqual(new Set(all));
  expect(new Set(told(false))).toEqual(new Set(all));
});

test("a story with another end is told", async () => {
  const [first] = alertStories;
  if (first === undefined) throw new Error("there are no stories");
  const { fires: _, ...silent } = first;
  await expect(play("wrong", [silent])).rejects.toThrow(/something is in the way for 20 minutes/);
});
