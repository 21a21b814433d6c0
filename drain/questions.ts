// Rights as questions to the API server: pure, from the rules of a definition and the names of a release.
import { namedBy, type Rule } from "#api/rbac.ts";
import type { Release } from "#api/release.ts";
import { namesOf } from "#api/release.ts";
import type { AccessQuestion } from "#kube/access.ts";

/** One question for each verb and place; what the chart does not grant in the mode of this release is not asked. */
export function questionsOf(
  rights: readonly Rule[],
  release: Release,
  clusterWide: boolean,
): readonly AccessQuestion[] {
  return rights
    .filter((rule) => clusterWide || rule.scope !== "cluster")
    .filter((rule) => rule.when !== "noClusterRights" || !clusterWide)
    .flatMap((rule) => {
      const namespace = namespaceOf(rule, release);
      // Several names of the release are the pieces of one report, granted together: the first answers for all.
      const [first] = namedBy(rule) ?? [];
      const names = first === undefined ? (rule.names ?? [undefined]) : [namesOf(release)[first]];
      return names.flatMap((name) =>
        rule.verbs.map((verb) => ({
          verb,
          group: rule.kind.group,
          resource: rule.kind.plural,
          ...(rule.part === undefined ? {} : { subresource: rule.part }),
          ...(namespace === undefined ? {} : { namespace }),
          ...(name === undefined ? {} : { name }),
        })),
      );
    });
}

function namespaceOf(rule: Rule, release: Release): string | undefined {
  if (!rule.kind.namespaced) return undefined;
  if (rule.scope === "release") return release.namespace;
  return rule.scope === "watch" ? release.watchNamespace : undefined;
}
