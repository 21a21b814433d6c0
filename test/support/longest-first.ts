// The order in which vitest starts files. Of itself it begins with the largest ones where it has never run before, which says
// little: a file that takes six minutes would start among the last, and all other workers wait for it.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Those that take more than 100 s, longest first (`npm test -- --only apiserver`, 30 November 2026). */
const LONG = [
  "test/contracts/rights",
  "hooks/src/takeover",
  "hooks/src/again",
  "hooks/src/installs",
  "hooks/src/crds",
  "hooks/src/hooks",
  "operator/managers/api-manager/reinstall",
  "hooks/src/drift",
  "operator/runtime/uninstall-ready",
  "hooks/src/limited",
].map((name) => `/${name}.apiserver.test.ts`);

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? LONG.length : at;
    };
    // Projects stay together, as they were.
    return [...Map.groupBy(sorted, ({ project }) => project.name).values()].flatMap((of) =>
      of.toSorted((one, other) => place(one) - place(other)),
    );
  }
}
