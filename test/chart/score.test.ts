// What kube-score, with all of its default checks, has against the chart: nothing but what is waived here, with the reason.
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkTools } from "#tools/binaries.ts";
import { command, CommandFailed } from "#tools/command.ts";
import { objectsIn } from "#test/support/manifest.ts";
import { templateText, valuesFiles, type Rendered } from "./helm.ts";

interface Waiver {
  /** kube-score's name of the check. */
  readonly check: string;
  readonly why: string;
  /** Only for these sets of values; all unless given. */
  readonly when?: (all: readonly Rendered[]) => boolean;
}

const WAIVED: readonly Waiver[] = [
  {
    check: "container-image-pull-policy",
    why: "images are named by digest in a release: pulling them always would only make a registry that is down stop a hook",
  },
  {
    check: "container-ephemeral-storage-request-and-limit",
    why: "root file systems are read-only and no pod has an emptyDir of ours: only logs count, which the kubelet rotates; a limit would evict a drain that says much",
  },
  {
    check: "pod-networkpolicy",
    why: "off by default: only the cluster's owner knows the address of its API server",
    when: (all) => !all.some(({ kind }) => kind === "NetworkPolicy"),
  },
];

/** As much of kube-score's JSON as is read here. */
interface Scored {
  readonly type_meta: { kind: string };
  readonly object_meta: { name: string };
  readonly checks: readonly {
    check: { id: string };
    grade: number;
    skipped: boolean;
    comments: readonly { path: string; summary: string }[] | null;
  }[];
}

interface Finding {
  readonly check: string;
  readonly said: string;
}

const ALL_OK = 10;

async function findings(text: string): Promise<Finding[]> {
  const program = join(await checkTools((line) => void process.stderr.write(`${line}\n`)), "kube-score");
  const args = ["score", "--output-format", "json", "-"];
  const said = await command(program, args, { input: text }).catch((error: unknown) => {
    if (error instanceof CommandFailed && error.code === 1) return error.stderr; // something is not as it likes it
    throw error;
  });
  return (JSON.parse(said) as Scored[]).flatMap(({ type_meta, object_meta, checks }) =>
    checks
      .filter(({ grade, skipped }) => !skipped && grade < ALL_OK)
      .map(({ check: { id }, comments }) => {
        const why = (comments ?? []).map(({ path, summary }) => `${path}: ${summary}`).join("; ");
        return { check: id, said: `${id}: ${type_meta.kind} ${object_meta.name}: ${why}` };
      }),
  );
}

test("kube-score has nothing against the chart but what is waived with a reason", { timeout: 300_000 }, async () => {
  const used = new Set<string>();
  for (const { name, path } of valuesFiles()) {
    const text = await templateText({ files: [path], namespace: "ngrok-operator" });
    const all = objectsIn<Rendered>(text);
    const waived = WAIVED.filter(({ when }) => when?.(all) ?? true).map(({ check }) => check);
    const found = await findings(text);
    const against = found.filter(({ check }) => !waived.includes(check)).map(({ said }) => said);
    expect(against, name).toEqual([]);
    for (const { check } of found) used.add(check);
  }
  expect(WAIVED.map(({ check }) => check).filter((check) => !used.has(check))).toEqual([]);
});

test("it reads the pods: one that runs as root without limits is found", { timeout: 300_000 }, async () => {
  const text = `
apiVersion: batch/v1
kind: Job
metadata: {name: careless}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "a:latest"}]}}}
`;
  const found = (await findings(text)).map(({ check }) => check);
  expect(found).toEqual(expect.arrayContaining(["container-resources", "container-security-context-user-group-id"]));
});
