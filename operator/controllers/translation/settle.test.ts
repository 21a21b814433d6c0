// The writes of a plan are done whatever becomes of one of them: an object that is there already, a conflict, a refusal.
import { expect, test } from "vitest";
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import type { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { OwnKind, OwnObject } from "#api/define-kind.ts";
import type { Domain } from "#api/domain.ts";
import { controllerLabels } from "#api/keys.ts";
import { type Kind, type KubeObject, type Ref, refOf } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import { Cache } from "#operator/runtime/cache.ts";
import { aCloudEndpoint, aDomain, anAgentEndpoint } from "#test/support/builders.ts";
import { ownKinds } from "#api/own-kinds.ts";
import { KnownError } from "#wire/errors.ts";
import { type Endpoint, planWrites } from "./plan.ts";
import { type SettleContext, settleWrites } from "./settle.ts";

const owner = { namespace: "ops", managerName: "m", stamp: "ops/ngrok" };
const labels = controllerLabels("ops", "m");
const cloud = (name: string, url = `https://${name}.example.com`): CloudEndpoint =>
  aCloudEndpoint({ metadata: { name, labels, uid: name }, spec: { url } });
const agent = (name: string): AgentEndpoint => anAgentEndpoint({ metadata: { name, labels, uid: name } });

interface Setup {
  readonly endpoints: readonly Endpoint[];
  readonly domains?: readonly Domain[];
  /** What the cache shows. */
  readonly seen?: readonly OwnObject[];
  /** What only the server knows of yet. */
  readonly unseen?: readonly OwnObject[];
  /** What the server answers to the write of the object of that name. */
  readonly answers?: Readonly<Record<string, KnownError>>;
  readonly mayRemove?: boolean;
}

const called = ({ kind }: Pick<Kind, "kind">, { name }: Ref): string => `${kind} ${name}`;

async function settled({ endpoints, domains = [], seen = [], unseen = [], answers = {}, mayRemove = true }: Setup) {
  const cache = new Cache();
  for (const kind of ownKinds as readonly Kind[]) cache.add(kind);
  for (const one of seen) cache.store<KubeObject>(kindNamed(one.kind)).put(one);
  const server = new Map([...seen, ...unseen].map((one) => [`${one.kind} ${one.metadata.name}`, one]));
  const did: string[] = [];
  const told: string[] = [];
  const answer = (verb: string, kind: Pick<Kind, "kind">, at: Ref): void => {
    const refusal = answers[at.name];
    did.push(`${refusal === undefined ? "" : "tried to "}${verb} ${called(kind, at)}`);
    if (refusal !== undefined) throw refusal;
  };
  const writer: Pick<Writer, "create" | "patch" | "remove"> = {
    create: async (kind, object) => {
      answer("create", kind, refOf(object));
      if (server.has(called(kind, refOf(object))))
        throw new KnownError("conflict", "it is there already", { code: "AlreadyExists" });
      return await Promise.resolve(object);
    },
    patch: async (kind, at) => {
      answer("patch", kind, at);
      // Here as in get: the name says which kind it is, which no type knows.
      return await Promise.resolve(server.get(called(kind, at)) as never);
    },
    remove: async ({ kind, ref }) => {
      answer("remove", kind, ref);
      return await Promise.resolve("deleted");
    },
  };
  const reader: Pick<Reader, "get"> = {
    get: async (kind, at) => await Promise.resolve(server.get(called(kind, at)) as never),
  };
  const context = {
    cached: cache,
    writer,
    reader,
    signal: new AbortController().signal,
    mayRemove: async () => await Promise.resolve(mayRemove),
    inTurn: async (_kind: Kind, _at: Ref, work: () => Promise<void>) => await work(),
    told: (_write: unknown, note: string) => told.push(note),
  };
  const at = (kind: OwnKind, key: string) => cache.store(kind).at(key);
  const generated = seen.filter((one): one is Endpoint => one.kind !== "Domain");
  const writes = planWrites({ endpoints, domains }, { at, generated }, owner);
  // The rest of a key's surroundings is not asked for here.
  const outcome = await settleWrites(writes, context as unknown as SettleContext, owner);
  return { did, told, outcome };
}

function kindNamed(name: string | undefined): Kind {
  const found = (ownKinds as readonly Kind[]).find(({ kind }) => kind === name);
  if (found === undefined) throw new Error(`${name} is none of ours`);
  return found;
}

const REFUSED = new KnownError("invalid", "a policy of the cluster forbids it");
const BROKEN = new KnownError("transient", "the connection broke");
const CHANGED = new KnownError("conflict", "it has changed meanwhile");

test.for([
  ["a refusal", REFUSED],
  ["a conflict", CHANGED],
  ["a broken connection", BROKEN],
] as const)(
  "%s for one object keeps none of the others from being written, nor removed",
  async ([, error], { expect }) => {
    const { did, outcome } = await settled({
      endpoints: [agent("bad"), agent("good"), cloud("web", "https://new.example.com")],
      domains: [aDomain()],
      seen: [cloud("web"), cloud("surplus")],
      answers: { bad: error },
    });
    expect(did).toEqual([
      "create Domain web-example-com",
      "remove CloudEndpoint surplus",
      "tried to create AgentEndpoint bad",
      "create AgentEndpoint good",
      "patch CloudEndpoint web",
    ]);
    expect(outcome).toEqual({ is: "failed", error });
  },
);

test("what passes by itself decides when the key comes again, not what only a person can mend; that is told", async () => {
  const answers = { a: REFUSED, b: BROKEN, c: REFUSED };
  const { told, outcome } = await settled({ endpoints: [agent("a"), agent("b"), agent("c")], answers });
  expect(outcome).toEqual({ is: "failed", error: BROKEN });
  expect(told).toEqual([
    "AgentEndpoint default/a could not be written: a policy of the cluster forbids it",
    "AgentEndpoint default/c could not be written: a policy of the cluster forbids it",
  ]);
});

test("an endpoint that is there before the watch has shown it is brought to what is wanted, and the others are made", async () => {
  const { did, outcome } = await settled({
    endpoints: [cloud("there", "https://new.example.com"), cloud("same"), cloud("other")],
    unseen: [cloud("there"), cloud("same")],
  });
  expect(did).toEqual([
    "create CloudEndpoint there",
    "patch CloudEndpoint there",
    "create CloudEndpoint same",
    "create CloudEndpoint other",
  ]);
  expect(outcome).toEqual({ is: "done" });
});

test("one of somebody else's that is there is told, and left as it is", async () => {
  const { did, told } = await settled({
    endpoints: [cloud("mine")],
    unseen: [aCloudEndpoint({ metadata: { name: "mine", uid: "x" } })],
  });
  expect(did).toEqual(["create CloudEndpoint mine"]);
  expect(told).toEqual([
    "CloudEndpoint default/mine was not made by the operator, which needs this name: rename or delete it",
  ]);
});

test("while nothing may be removed all else is done, and the key comes again", async () => {
  const { did, outcome } = await settled({
    endpoints: [agent("good")],
    seen: [cloud("surplus")],
    mayRemove: false,
  });
  expect(did).toEqual(["create AgentEndpoint good"]);
  expect(outcome).toMatchObject({ is: "wait", reason: "nothing is removed" });
});
