// The tiers of tests: unit needs nothing, apiserver a real control plane, e2e and faults a whole cluster (see CONTRIBUTING.md).
import { defineConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closing-line.ts";
import { LongestFirst } from "./test/support/longest-first.ts";
import { GO_MEMORY } from "./tools/cluster/embedded/components.ts";

const code = "{wire,kube,api,ngrok,drain,hooks,operator,scripts,tools,test}";

export default defineConfig({
  test: {
    reporters: ["default", new ClosingLine()],
    sequence: { sequencer: LongestFirst },
    // helm and kubectl, which tests start by the hundred, read the API server's schemas for a third less of a processor.
    env: GO_MEMORY,
    // Tests wait for servers half of their time: as many files at once as there are processors, not one fewer.
    maxWorkers: "100%",
    // Bounds of what hangs, not measures: a runner with two processors and ten programs on each must stay below all of them.
    // Of its own a poll gives up after a second: a time that a busy machine takes for a write and its event.
    expect: { poll: { timeout: 50_000 } },
    coverage: {
      provider: "v8",
      include: ["{wire,kube,api,ngrok,drain,hooks,operator}/**/*.ts"],
      reporter: ["text-summary", "lcov"],
    },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [`${code}/**/*.test.ts`],
          exclude: [
            "**/*.apiserver.test.ts",
            "test/architecture/**",
            "test/chart/**",
            "test/e2e/**",
            "test/faults/faults.test.ts",
            "**/node_modules/**",
          ],
          // Not threads: the SDK's addon ends the whole process when a thread ends into which it still calls.
          pool: "forks",
          // A hang ends here; a property test that shares a processor does not.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "architecture",
          include: ["test/architecture/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: { name: "chart", include: ["test/chart/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        extends: true,
        test: {
          name: "apiserver",
          include: [`${code}/**/*.apiserver.test.ts`],
          exclude: ["**/node_modules/**"],
          globalSetup: ["test/support/apiserver.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/support/e2e.ts"],
          testTimeout: 1_200_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: "faults",
          include: ["test/faults/faults.test.ts"],
          globalSetup: ["test/support/faults.ts"],
          testTimeout: 900_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
