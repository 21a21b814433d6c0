// `npm run demo` with everything that it can show, on a cluster that runs already, and its last line.
import { expect } from "vitest";
import { featuresOf, LIST } from "#scripts/demo/features.ts";
import { progressOn } from "#scripts/demo/progress.ts";
import { closingLine, isAsPromised } from "#scripts/demo/promise.ts";
import { runDemo } from "#scripts/demo/story.ts";
import { REQUESTS } from "#scripts/demo/traffic.ts";
import { namespacesStay } from "#test/support/pods.ts";
import { test } from "#test/support/scene.ts";

test.for(["Retain", "Delete"] as const)(
  "the demo of all pods and all users' kinds under %s ends with residue=0 and each request answered",
  async (policy, { scene }) => {
    const { stage, signal } = scene;
    // The demo counts every namespace that is going, and the scenes before do not wait for theirs.
    await namespacesStay(stage.kubectl);
    const told: string[] = [];
    const progress = progressOn(
      (line) => void told.push(line),
      () => performance.now(),
    );
    const result = await runDemo(
      {
        policy,
        count: 9,
        helm: 4,
        crdsKeep: false,
        with: featuresOf(LIST),
        keep: true,
        provider: "embedded",
        name: stage.cluster.name,
        yes: true,
        signal,
      },
      progress,
    );
    expect(isAsPromised(result), [...told, closingLine(result)].join("\n")).toBe(true);
    expect(closingLine(result)).toMatch(new RegExp(` residue=0 .* requests_ok=${2 * REQUESTS}$`));
    expect(result.remote > 0).toBe(policy === "Retain");
  },
);
