// Every row of what an Ingress or a Gateway may ask for, in one cluster: what the operator makes of it is what
// ngrok-translate prints, who is refused is told, and another class and another controller beside ours are left alone. What no
// API server takes is asked of it too.
import { join } from "node:path";
import { expect } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import { aGatewayClass, anIngressClass } from "#test/support/builders.ts";
import { createAll } from "#test/support/create-all.ts";
import type { Kubectl } from "#test/support/kubectl.ts";
import { gateway, ingress, route, service } from "#test/support/routing-parts.ts";
import { allRows, type Manifest, missingIn, type Places, type Row, tells } from "#test/support/routing-rows.ts";
import { FULLNAME, type Scene, test } from "#test/support/scene.ts";
import { command } from "#tools/command.ts";

const READ =
  "ingressclasses,ingresses,services,secrets,configmaps,namespaces,ngroktrafficpolicies,gatewayclasses,gateways,httproutes,tcproutes,tlsroutes,referencegrants";
const SETTLES_MS = 180_000;

test("every row of Ingress and Gateway API becomes what ngrok-translate prints, who is refused is told, and a second class and a second controller are left alone (F14)", async ({
  scene,
}) => {
  const { stage, namespaces } = scene;
  const { kubectl } = stage;
  const [shop, other, third] = namespaces;
  const all = allRows({ shop, other });
  const rows = all.filter(({ barred }) => barred === undefined);
  const release = await scene.install({ values: { drainPolicy: "Delete", "ingress.ingressClass.default": true } });
  for (const name of [shop, other, third]) await kubectl.run(["create", "namespace", name]);
  await kubectl.apply([aGatewayClass(), ...theirClasses]);
  const strangers = theirs(third);
  await kubectl.apply(strangers);
  const before = await versions(kubectl, third);
  await createAll(
    scene.connection,
    rows.flatMap(({ objects }) => objects),
    scene.signal,
  );

  for (const row of all.filter((one) => !rows.includes(one)))
    expect(await answersTo(scene, row), row.name).toContain(row.barred);

  const printed = await settled(scene, { shop, other });
  expect(rows.flatMap((row) => missingIn(row, printed))).toEqual([]);
  const untold = async (): Promise<string[]> => {
    const told = await everythingTold(kubectl, [shop, other]);
    return rows
      .filter((row) => row.told !== undefined && !told.some((line) => tells(row, line)))
      .map((row) => `${row.name}: ${row.told}`);
  };
  await expect.poll(untold, { timeout: SETTLES_MS, interval: 1_000 }).toEqual([]);

  expect(await versions(kubectl, third)).toEqual(before);
  const run = await release.uninstall();
  expect(run.code, run.stderr).toBe(0);
  expect(scene.ngrok.remote()).toBe(0);
  expect(await scene.residue()).toEqual([]);
  const kept = await versions(kubectl, third);
  expect(kept).toEqual(before);
  await kubectl.run(["delete", "gatewayclass/ngrok", "gatewayclass/theirs", "ingressclass/theirs"]);
});

/** What the API server would say to the row's objects. */
async function answersTo({ connection, signal }: Scene, { objects }: Row): Promise<string> {
  const answers = objects.map(
    async (one) => await createAll(connection, [one], signal, { rehearsed: true }).then(() => "", String),
  );
  return (await Promise.all(answers)).join("\n");
}

const theirClasses = [
  anIngressClass({ metadata: { name: "theirs" }, spec: { controller: "example.com/ingresses" } }),
  aGatewayClass({ metadata: { name: "theirs" }, spec: { controllerName: "example.com/gateways" } }),
];

/** What another controller serves: nothing of it is ours, though it asks for what ours would serve. */
function theirs(namespace: string): Manifest[] {
  return [
    service(namespace, "theirs"),
    ingress(namespace, "theirs", { spec: { ingressClassName: "theirs" } }),
    gateway(namespace, "theirs", { spec: { gatewayClassName: "theirs" } }),
    route(namespace, "theirs"),
  ];
}

/** Once the cluster shows what is printed for it, that. */
async function settled(
  { stage, namespace, connection, signal }: Scene,
  { shop, other }: Places,
): Promise<KubeObject[]> {
  const { kubectl } = stage;
  const all = await kubectl.run(["get", READ, "-A", "-o", "json"]);
  const program = [join(stage.cluster.bin, "kubectl"), "--kubeconfig", stage.cluster.kubeconfig, "exec", "-i"];
  const pod = ["-n", namespace, `deploy/${FULLNAME}-manager`, "--", "ngrok-translate", "-", "-o", "json"];
  const flags = ["--manager-namespace", namespace, "--manager-name", `${FULLNAME}-manager`];
  // It ends with 1 where something is refused, which is told elsewhere.
  const lenient = ["-c", '"$@" || [ $? = 1 ]', "sh"];
  const text = await command("sh", [...lenient, ...program, ...pod, ...flags], { input: all, timeout: 180_000 });
  const printed = (JSON.parse(text) as { items: KubeObject[] }).items;
  // With the defaults of the schema; elsewhere, since there they are already.
  const at = (object: KubeObject): KubeObject => ({ ...object, metadata: { ...object.metadata, namespace } });
  const whole = await createAll(connection, distinct(printed.map(at)), signal, { rehearsed: true });
  const wanted = whole.map(stripped).toSorted();
  const found = async (kinds: string): Promise<string[]> => {
    const lists = [shop, other].map(
      async (from) => (await kubectl.json<{ items: KubeObject[] }>(["-n", from, "get", kinds])).items,
    );
    return distinct((await Promise.all(lists)).flat())
      .map(stripped)
      .toSorted();
  };
  const isDomain = (text_: string): boolean => text_.startsWith('{"kind":"Domain"');
  const endpoints = async (): Promise<string[]> => await found("cloudendpoints,agentendpoints");
  await expect
    .poll(endpoints, { timeout: SETTLES_MS, interval: 1_000 })
    .toEqual(wanted.filter((line) => !isDomain(line)));
  // An AgentEndpoint in another namespace than its Gateway brings a Domain of its own.
  await expect
    .poll(async () => await found("domains"), { timeout: SETTLES_MS, interval: 1_000 })
    .toEqual(expect.arrayContaining(wanted.filter(isDomain)));
  return printed;
}

/** Of namesakes in several namespaces the first. */
function distinct(objects: readonly KubeObject[]): KubeObject[] {
  return [...new Map(objects.toReversed().map((one) => [`${one.kind} ${one.metadata.name}`, one])).values()];
}

/** As it was made, without what the API server and the claim add. */
function stripped({ kind, metadata, spec }: KubeObject & { spec?: object }): string {
  const { name, labels } = metadata;
  return JSON.stringify({ kind, name, labels, spec }, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** `Kind namespace/name: what an event or a condition says of it`. */
async function everythingTold(kubectl: Kubectl, places: readonly string[]): Promise<string[]> {
  const lines = places.map(async (at) => {
    const events = await kubectl.run([
      "-n",
      at,
      "get",
      "events",
      "-o",
      'jsonpath={range .items[*]}{.involvedObject.kind} {.metadata.namespace}/{.involvedObject.name}: {.reason} {.message}{"\\n"}{end}',
    ]);
    const objects = await kubectl.json<{ items: KubeObject[] }>([
      "-n",
      at,
      "get",
      "gateways,httproutes,tcproutes,tlsroutes",
    ]);
    const conditions = objects.items.map(
      (one) => `${one.kind} ${at}/${one.metadata.name}: ${JSON.stringify((one as { status?: unknown }).status)}`,
    );
    return [...events.split("\n"), ...conditions];
  });
  return (await Promise.all(lines)).flat();
}

/** resourceVersions of what is not ours. */
async function versions(kubectl: Kubectl, namespace: string): Promise<Record<string, string>> {
  const { items } = await kubectl.json<{ items: KubeObject[] }>([
    "-n",
    namespace,
    "get",
    "ingresses,gateways,httproutes,services",
  ]);
  const classes = await kubectl.json<{ items: KubeObject[] }>(["get", "ingressclass/theirs", "gatewayclass/theirs"]);
  return Object.fromEntries(
    [...items, ...classes.items].map(({ kind, metadata }) => [
      `${kind} ${metadata.name}`,
      metadata.resourceVersion ?? "",
    ]),
  );
}
