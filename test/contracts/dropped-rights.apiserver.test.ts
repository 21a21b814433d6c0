// Take any one right from the drain hook and its uninstall does not begin: its preflight, under the hook's own account, asks
// the API server for all of them and names the one that is missing.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drainHook } from "#hooks/drain/hook.ts";
import { preflight } from "#drain/preflight.ts";
import { connect, type Connection } from "#kube/connection.ts";
import type { KubeObject } from "#kube/kind.ts";
import { reader } from "#kube/reader.ts";
import { ChartInstall, renderChart } from "#test/support/chart-install.ts";
import { ground, type Ground } from "#test/support/rights-ground.ts";
import { type Grant, grantsOf, isCovered } from "#test/support/rights.ts";
import { binaries } from "#tools/binaries.ts";

const objects = await renderChart(await binaries(() => {}), {});
const granted = grantsOf(objects).filter(({ account }) => account === "ops/ngrok-operator-drain");
/** The pieces of a report are granted together, and asked for as the first. */
const isLaterPiece = ({ name }: Grant): boolean => /-drain-report-\d$/.test(name ?? "");
const dropped = granted.filter((grant) => !isCovered(grant, granted) && !isLaterPiece(grant));

let given: Ground;
let install: ChartInstall;
let hook: Connection;

beforeAll(async () => {
  given = await ground();
  const { plane, meddler, ngrok, connection, kubectl } = given;
  const parts = { objects, kubeconfig: plane.kubeconfig, server: meddler.url, apiUrl: ngrok.url, connection, kubectl };
  install = await ChartInstall.start(parts);
  hook = await connect({ env: await install.hookEnvironment("drain") });
});

afterAll(async () => {
  await hook[Symbol.asyncDispose]();
  await install[Symbol.asyncDispose]();
  await given[Symbol.asyncDispose]();
});

describe("the drain hook", () => {
  test.for(dropped.map((grant) => [questionOf(grant), grant] as const))(
    "refuses without the right to %s, before anything has changed",
    async ([question, grant]) => {
      await setRole(grant, (one) => one !== grant);
      // The API server takes a moment to hear of it.
      await expect.poll(async () => await refusal(grant), { interval: 10 }).toContain(`may not ${question}`);
      await setRole(grant, () => true);
    },
  );

  test("with all of them it does not", async () => {
    await expect.poll(async () => await refusal(), { interval: 10 }).toBe("");
  });
});

/**
 * Why the hook would not begin; RBAC has had its time to settle after one look. With `about` it asks for the rights to that
 * resource alone, as a hundred questions for each of a hundred rights take their time.
 */
async function refusal(about?: Grant): Promise<string> {
  let now = 0;
  const clock = {
    now: () => now,
    date: () => new Date(),
    sleep: async (ms: number) => void (now += Math.max(ms, 31_000)),
  };
  const refused = await preflight({
    connection: hook,
    read: reader(hook),
    ngrok: undefined,
    release: { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" },
    policy: "Retain",
    rights: drainHook.rbac.filter(({ kind }) => about === undefined || about.resource.split("/")[0] === kind.plural),
    clusterWide: true,
    crdsGo: false,
    revision: "1",
    state: undefined,
    chart: "0.1.0",
    clock,
    signal: given.signal,
  });
  return refused?.reason ?? "";
}

/** Gives the Role of the grant only those of its grants that are chosen. */
async function setRole({ role }: Grant, chosen: (grant: Grant) => boolean): Promise<void> {
  const object = objects.find(({ kind, metadata }) => `${kind} ${metadata.name}` === role) as KubeObject;
  const rules = granted
    .filter((grant) => grant.role === role && chosen(grant))
    .map(({ verb, group, resource, name }) => ({
      verbs: [verb],
      apiGroups: [group],
      resources: [resource],
      ...(name === undefined ? {} : { resourceNames: [name] }),
    }));
  const { name, namespace } = object.metadata;
  const folder = namespace === undefined ? "clusterroles" : `namespaces/${namespace}/roles`;
  await given.connection.request({
    method: "PUT",
    path: `/apis/rbac.authorization.k8s.io/v1/${folder}/${name}`,
    body: { ...object, rules },
    signal: given.signal,
  });
}

/** As the hook says it, without the place. */
function questionOf({ verb, group, resource, name }: Grant): string {
  const [kind = "", part] = resource.split("/");
  const of = group === "" ? kind : `${kind}.${group}`;
  return `${verb} ${of}${part === undefined ? "" : `/${part}`}${name === undefined ? "" : ` ${name}`} `;
}
