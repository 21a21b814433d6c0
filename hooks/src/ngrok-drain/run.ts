// `ngrok-drain run`: the drain without Helm, by the same take-over and the same engine, as holder cli/<uuid>.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { endingLines } from "#drain/lines.ts";
import { parseState, stateRef } from "#drain/state.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { budgetMsOf, countsOf, drainByHand, type Drained, refusalOf, type Refused } from "./by-hand.ts";
import { type Asked, askedPolicy, type DrainCommand, EXIT, POLICIES, type World } from "./command.ts";
import { policyInForce } from "./in-force.ts";

const SECONDS = "900";

export const runCommand: DrainCommand = {
  name: "run",
  summary:
    "Drain this install now, without Helm: where hooks cannot run. The operator yields and stays idle afterwards.",
  options: [
    ["--policy <policy>", "Retain or Delete; default: as the chart was told. What is sealed stays sealed", POLICIES],
    ["--timeout <seconds>", `time for this run, default ${SECONDS}; the next run goes on where it ended`],
  ],
  examples: [
    ["run", "free everything; then helm uninstall --no-hooks is safe"],
    ["run --policy Retain --timeout 3600", "keep what is at ngrok, and take the time that it needs"],
  ],
  exits: "0 drained, 1 not done yet (run it again) or error, 2 refused before anything was changed",
  run,
};

async function run(world: World, { options }: Asked): Promise<number> {
  const budgetMs = budgetMsOf(options["timeout"], SECONDS);
  const policy = await policyOf(world, askedPolicy(options["policy"]));
  const refusal = await refusalOf(world, policy);
  if (refusal !== undefined) return refused(world, refusal);
  return ended(world, await drainByHand(world, { policy, budgetMs, alone: false }));
}

async function policyOf({ install, read, signal }: World, asked: DrainPolicy | undefined): Promise<DrainPolicy> {
  const { name, namespace } = install.release;
  const state = parseState(await read.get(ConfigMap, stateRef(install.release), signal));
  const operator = await read.get(KubernetesOperator, { name, namespace }, signal);
  const inForce = policyInForce(state, asked ?? install.policy, operator);
  return asked === "Retain" ? asked : inForce.policy;
}

function refused(world: World, { reason, remedies }: Refused): number {
  world.answer({ command: "run", release: world.install.release, ok: false, refused: true, reason, remedies }, [
    `refused   ${reason}. Nothing was changed`,
    ...remedies.map((remedy) => `remedy    ${remedy}`),
  ]);
  return EXIT.refused;
}

function ended(world: World, drained: Drained): number {
  const { release } = world.install;
  const { conclusion, policy, seconds } = drained;
  const counts = countsOf(drained);
  const again = "ngrok-drain run";
  const next = counts.ok ? `helm uninstall ${release.name} -n ${release.namespace}` : again;
  const lines = endingLines(conclusion, { release, policy, seconds, again });
  const document = { command: "run", release, ...counts, next, kept: conclusion.report.kept.length };
  world.answer(document, [
    ...lines.map(([word, sentence]) => `${word.padEnd(9)} ${sentence}`),
    ...(counts.ok
      ? [`next      ${next} removes the rest of the release; ngrok-drain cancel lets the operator work again`]
      : []),
  ]);
  return counts.ok ? EXIT.ok : EXIT.failed;
}
