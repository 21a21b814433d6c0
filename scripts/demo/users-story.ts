// The users' part of the demo's story: their objects become endpoints, and after the uninstall they are what they were.
import { CommandFailed } from "#tools/command.ts";
import { gatewayApiCrds } from "#tools/binaries.ts";
import type { Kubectl } from "#test/support/kubectl.ts";
import { seen } from "#test/support/manager-process.ts";
import type { Stage } from "#test/support/stage.ts";
import type { UsersFeature } from "./features.ts";
import type { Progress } from "./progress.ts";
import {
  DEMO,
  harmToAll,
  isServed,
  nameOf,
  USERS,
  usersObjects,
  type UsersObject,
  type UsersPlace,
  write,
} from "./users.ts";

export interface Users {
  /** As their authors left them. */
  readonly before: readonly UsersObject[];
  /** The objects that were made for them, as `cloudendpoint demo-users/shop.example.com`. */
  readonly made: readonly string[];
}

/** What a feature's objects show when they are served: an object, and the condition that kubectl waits for. */
const shown = (
  namespace: string,
): Readonly<Record<UsersFeature, readonly (readonly [object: string, until: string])[]>> => ({
  ingress: [
    ["ingress/shop", "jsonpath={.status.loadBalancer.ingress[0].hostname}"],
    ["cloudendpoint/shop.example.com", "create"],
    ["cloudendpoint/shop.example.com", "condition=Ready"],
  ],
  gateway: [
    ["gateway/edge", "condition=Programmed"],
    ["httproute/api", 'jsonpath={.status.parents[0].conditions[?(@.type=="Accepted")].status}=True'],
    [`cloudendpoint/edge.${namespace}-api.example.com`, "create"],
    [`cloudendpoint/edge.${namespace}-api.example.com`, "condition=Ready"],
  ],
  service: [["service/database", "jsonpath={.status.loadBalancer.ingress[0].hostname}"]],
});
const MADE = ["cloudendpoints", "agentendpoints", "domains"];

/** Gateway API's kinds where nobody has installed them; they stay, since other programs may serve them by now. */
export async function gatewayApi({ kubectl }: Stage, { step, detail }: Progress): Promise<void> {
  const there = await kubectl.run(["get", "crd", "gateways.gateway.networking.k8s.io", "--ignore-not-found"]);
  if (there !== "") return detail("Gateway API is in the cluster already");
  const files = await gatewayApiCrds("standard", detail);
  const install = async (): Promise<string> => {
    const made = await kubectl.run(["create", "-o", "name", ...files.flatMap((file) => ["-f", file])]);
    await kubectl.run(["wait", "--for=condition=Established", "--timeout=150s", ...made.trim().split("\n")]);
    return made;
  };
  await step(
    "gateway api",
    install,
    (made) => `${made.trim().split("\n").length} CustomResourceDefinitions of Gateway API`,
  );
}

/** Resolves when all that they ask for is served. */
export async function asked(
  { kubectl }: Stage,
  features: readonly UsersFeature[],
  { step, excerpt }: Progress,
  signal: AbortSignal,
): Promise<Users> {
  const objects = usersObjects(features);
  if (objects.length === 0) return { before: [], made: [] };
  const create = async (): Promise<UsersObject[]> => {
    await kubectl.apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: USERS } }]);
    return await write(kubectl, objects);
  };
  const before = await step("users", create, () => `${objects.map(nameOf).join(", ")}`);
  await step(
    "served",
    async () => await areServed(kubectl, features, DEMO, signal),
    () => "all of them are endpoints",
  );
  let made: UsersObject[] = [];
  const isHeld = async (): Promise<boolean> => {
    made = (await kubectl.json<{ items: UsersObject[] }>(["-n", USERS, "get", MADE.join(",")])).items;
    return made.every(({ metadata }) => (metadata.finalizers?.length ?? 0) > 0);
  };
  await seen(() => "what was made for the users' objects carries a finalizer", isHeld);
  excerpt(await kubectl.run(["-n", USERS, "get", MADE.join(",")]), 20);
  return { before, made: made.map(nameOf) };
}

/** Resolves when all that is asked for in this place is served. */
export async function areServed(
  kubectl: Kubectl,
  features: readonly UsersFeature[],
  { namespace }: UsersPlace,
  signal: AbortSignal,
): Promise<void> {
  for (const [object, until] of features.flatMap((feature) => shown(namespace)[feature])) {
    signal.throwIfAborted();
    const args = ["-n", namespace, "wait", `--for=${until}`, object, "--timeout=150s"];
    await kubectl.run(args, { signal });
  }
}

/** How many objects our finalizer has to be on for the users' sake. A class has one of Gateway API's own. */
export function held({ before, made }: Users): number {
  return before.filter((one) => isServed(one) && one.kind !== "GatewayClass").length + made.length;
}

/** What became of the users' objects, in words; nothing when they are as their authors left them. */
export async function harm({ kubectl }: Stage, { before }: Users, { step, detail }: Progress): Promise<string[]> {
  if (before.length === 0) return [];
  const look = async (): Promise<string[]> => await harmToAll(kubectl, before);
  const found = await step("users", look, (told) =>
    told.length === 0 ? `all ${before.length} objects of theirs are as they wrote them` : "NOT unharmed",
  );
  for (const line of found) detail(line);
  return found;
}

/** The users take away what lies outside of their namespace; a cluster that stays is to be as it was. */
export async function leave({ kubectl }: Stage, { before }: Users): Promise<void> {
  for (const { kind, metadata } of before.filter((one) => one.metadata.namespace === undefined)) {
    await kubectl.run(["delete", kind.toLowerCase(), metadata.name, "--timeout=60s"]).catch((error: unknown) => {
      // What does not go is counted with the rest.
      if (!(error instanceof CommandFailed)) throw error;
    });
  }
}
