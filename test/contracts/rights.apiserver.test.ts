// Rights are exact: a whole life of the install in each of its modes, by the real programs under their own accounts; then
// what the chart grants is held against what the API server wrote down. What is granted was needed, what was refused is wrong.
import { afterAll, beforeAll, describe, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import { said } from "#test/support/audit.ts";
import { renderChart, type Values } from "#test/support/chart-install.ts";
import { denials } from "#test/support/denials.ts";
import { ground, type Ground } from "#test/support/rights-ground.ts";
import type { Life } from "#test/support/rights-life.ts";
import { type Lived, lived } from "#test/support/rights-lived.ts";
import { askedFor, type Grant, grantsOf, isCovered, needed, textOf } from "#test/support/rights.ts";
import { binaries } from "#tools/binaries.ts";

interface Mode {
  readonly name: string;
  readonly values: Values;
  readonly stories: (life: Life) => Promise<void>;
}

const everywhere = async (life: Life): Promise<void> => {
  await life.works();
  await life.leaderDrains();
  await life.drains();
  await life.cleansUp();
};

const oneNamespace = { drainPolicy: "Delete", "ingress.watchNamespace": "shop" };
const noClusterRights = { "rbac.cluster": false, "ingress.ingressClass.create": false, installCRDs: false };

const modes: readonly Mode[] = [
  {
    name: "all namespaces",
    values: { drainPolicy: "Delete", "agent.enabled": true, "bindings.enabled": true },
    // What needs only the Role of the release's own namespace, which is the same in all modes, is told once.
    async stories(life) {
      await life.forwards();
      await everywhere(life);
      await life.tellsMuch();
      await life.takesOver();
    },
  },
  {
    name: "one namespace",
    values: oneNamespace,
    async stories(life) {
      await everywhere(life);
      await life.findsWhatIsElsewhere();
      await life.missesItsNamespace();
    },
  },
  { name: "rbac.cluster=false", values: { ...oneNamespace, ...noClusterRights }, stories: everywhere },
  {
    name: "gitops.argocd=true",
    values: { ...oneNamespace, "gitops.argocd": true },
    // There are no hooks.
    async stories(life) {
      await life.works();
      await life.leaderDrains();
    },
  },
];

/** It has the rights of both hooks in order to ask for each (hooks/src/rehearsal/rights.test.ts), and uses few. */
const REHEARSAL = "ops/ngrok-operator-rehearsal";

const bin = await binaries(() => {});
const rendered = await Promise.all(
  modes.map(async (mode) => {
    const objects = await renderChart(bin, mode.values);
    return { ...mode, objects, grants: grantsOf(objects).filter(({ account }) => account !== REHEARSAL) };
  }),
);

const lives = new Map<string, Lived & { readonly needed: ReadonlySet<string> }>();
let given: Ground;

beforeAll(async () => {
  given = await ground();
  for (const { name, values, stories, grants } of rendered) {
    const life = await lived(given, values, stories);
    lives.set(name, { ...life, needed: new Set([...needed(grants, askedFor(life.events))].map(keyOf)) });
  }
}, 900_000);

afterAll(async () => await given[Symbol.asyncDispose]());

describe.for(rendered)("$name", ({ name, grants, objects }) => {
  test("no request is refused, not even one that is known to be", ({ expect }) => {
    expect(denials(lives.get(name)?.events ?? [], "ngrok-operator").map(said)).toEqual([]);
  });

  test("what is granted outside of a namespace is what the mode says", ({ expect }) => {
    const outside = objects.filter(({ kind }) => kind?.startsWith("ClusterRole")).map(labelOf);
    expect(outside.length > 0).toBe(name !== "rbac.cluster=false");
  });

  test.for(grants.map((grant) => [textOf(grant), grant] as const))(
    "without it a request would have been refused: %s",
    ([, grant], { expect }) => {
      expect(isNeeded(grant, name)).toBe(true);
    },
  );
});

/**
 * In its own mode; or in another one, if it stands in the Role of the release's namespace, which has the same rules in each,
 * or if a wider grant of this mode makes it superfluous here.
 */
function isNeeded(grant: Grant, mode: string): boolean {
  const key = keyOf(grant);
  if (lives.get(mode)?.needed.has(key)) return true;
  const others = rendered.find(({ name }) => name === mode)?.grants ?? [];
  const mayBeElsewhere = grant.namespace === "ops" || isCovered(grant, others);
  return mayBeElsewhere && [...lives.values()].some((life) => life.needed.has(key));
}

function keyOf({ account, verb, group, resource, name, namespace }: Grant): string {
  return JSON.stringify([account, verb, group, resource, name, namespace]);
}

function labelOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`;
}
