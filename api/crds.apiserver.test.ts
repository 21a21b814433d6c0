// Our seven kinds as a real API server takes them: what applies, what is filled in, what is shown, what is refused.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { ownKinds } from "#api/own-kinds.ts";
import { resourceName } from "#kube/kind.ts";
import type { KubeObject } from "#kube/kind.ts";
import { crdObjects } from "#scripts/generate/crds.ts";
import { badObjects } from "#test/support/bad-objects.ts";
import * as builders from "#test/support/builders.ts";
import { binaries } from "#tools/binaries.ts";
import { command, CommandFailed } from "#tools/command.ts";

const namespace = "crds-test";
/** kubectl's own validation stops a whole list at its first fault, and knows no defaults: the server shall judge. */
const asServer = ["--dry-run=server", "--validate=false"] as const;
const statusOf = [
  "apply",
  "--server-side",
  "--subresource=status",
  "--force-conflicts",
  "--validate=false",
  "-f",
  "-",
] as const;
const program = join(await binaries(console.log), "kubectl");

async function kubectl(args: readonly string[], objects?: readonly object[]): Promise<string> {
  const input = objects && { input: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }) };
  return await command(program, ["--kubeconfig", inject("kubeconfig"), ...args], input);
}

function here<T extends KubeObject>(object: T, name: string = object.metadata.name): T {
  return { ...object, metadata: { ...object.metadata, name, namespace } };
}

interface Loose extends KubeObject {
  spec: Record<string, unknown>;
}

/** What the API server makes of an object that says only `spec`. */
async function stored(kind: string, spec: object): Promise<Record<string, unknown>> {
  const own = ownKinds.find((one) => one.kind === kind);
  const object = { apiVersion: `${own?.group}/v1alpha1`, kind, metadata: { name: "defaults", namespace }, spec };
  const list = JSON.parse(await kubectl(["create", ...asServer, "-o", "json", "-f", "-"], [object])) as {
    items?: Loose[];
  } & Loose;
  return (list.items?.[0] ?? list).spec;
}

const metadata = '{"owned-by":"ngrok-operator"}';
const samples: Readonly<Record<string, KubeObject>> = {
  AgentEndpoint: builders.anAgentEndpoint(),
  BoundEndpoint: builders.aBoundEndpoint(),
  CloudEndpoint: builders.aCloudEndpoint(),
  Domain: builders.aDomain(),
  IPPolicy: builders.anIPPolicy(),
  KubernetesOperator: builders.aKubernetesOperator(),
  NgrokTrafficPolicy: builders.anNgrokTrafficPolicy(),
};

function withDrain(drain: object): KubeObject & { status: object } {
  const { apiVersion, kind, metadata: meta } = here(builders.aKubernetesOperator());
  return { apiVersion: apiVersion ?? "", kind: kind ?? "", metadata: meta, status: { drain } };
}

beforeAll(async () => {
  const apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
  await kubectl(apply, [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }, ...crdObjects()]);
  const names = crdObjects().map((crd) => `crd/${crd.metadata.name}`);
  await kubectl(["wait", "--for=condition=Established", "--timeout=150s", ...names]);
  await kubectl(
    apply,
    Object.values(samples).map((sample) => here(sample)),
  );
});

afterAll(async () => {
  await kubectl(["delete", "namespace", namespace, "--wait=false", "--ignore-not-found"]);
});

test("the API server accepts every name and finds no fault with the schemas", async () => {
  const crds = JSON.parse(
    await kubectl(["get", ...crdObjects().map((crd) => `crd/${crd.metadata.name}`), "-o", "json"]),
  ) as {
    items: {
      metadata: { name: string };
      status: { conditions: { type: string; status: string; message: string }[] };
    }[];
  };
  const faults = crds.items.flatMap((crd) =>
    crd.status.conditions
      .filter((one) => (one.type === "NonStructuralSchema" ? one.status !== "False" : one.status !== "True"))
      .map((one) => `${crd.metadata.name}: ${one.type} ${one.message}`),
  );
  expect(faults).toEqual([]);
  expect(crds.items).toHaveLength(7);
});

describe("docs/examples", () => {
  const folder = join(import.meta.dirname, "../docs/examples");
  const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

  test("has a good one of every kind", () => {
    const kinds = files.flatMap((file) =>
      parseAllDocuments(readFileSync(join(folder, file), "utf8")).map((document) => document.get("kind")),
    );
    expect(new Set(kinds)).toEqual(new Set(ownKinds.map((kind) => kind.kind)));
  });

  test.for(files)("%s applies as it is", async (file, { expect }) => {
    const said = await kubectl(["apply", "--dry-run=server", "--validate=strict", "-f", join(folder, file)]);
    expect(said).toMatch(/(created|configured|unchanged) \(server dry run\)/);
  });
});

test("the builders' objects are stored as they are, so that tests see what a cluster would hold", async () => {
  for (const sample of Object.values(samples)) {
    const what = `${sample.kind}/${sample.metadata.name}`;
    const found = JSON.parse(await kubectl(["get", what, "-n", namespace, "-o", "json"])) as Loose;
    expect({ what, spec: found.spec }).toEqual({ what, spec: (sample as Loose).spec });
  }
});

describe("what is not said is filled in", () => {
  const endpoint = { description: "Created by the ngrok-operator", metadata };
  const other = { description: "Created by ngrok-operator", metadata };

  test("of a CloudEndpoint", async () => {
    expect(await stored("CloudEndpoint", { url: "https://a.example.com" })).toEqual({
      url: "https://a.example.com",
      ...endpoint,
    });
  });

  test("of an AgentEndpoint, with mutual TLS", async () => {
    const tlsTermination = { mutualTLS: { clientCAsRef: { name: "ca" } } };
    const said = { url: "tls://a.example.com", upstream: { url: "8080" }, tlsTermination };
    expect(await stored("AgentEndpoint", said)).toEqual({
      ...said,
      ...endpoint,
      tlsTermination: { mutualTLS: { clientCAsRef: { name: "ca" }, mode: "require" } },
    });
  });

  test("of a Domain", async () => {
    expect(await stored("Domain", { domain: "a.example.com" })).toEqual({
      domain: "a.example.com",
      reclaimPolicy: "Delete",
      ...other,
    });
  });

  test("of an IPPolicy and its rules", async () => {
    expect(await stored("IPPolicy", { rules: [{ cidr: "::/0", action: "deny" }] })).toEqual({
      rules: [{ cidr: "::/0", action: "deny", ...other }],
      ...other,
    });
  });

  test("of a KubernetesOperator", async () => {
    expect(await stored("KubernetesOperator", { drain: {}, binding: { endpointSelectors: [] } })).toEqual({
      region: "global",
      drain: { policy: "Retain" },
      binding: { endpointSelectors: [], tlsSecretName: "default-tls" },
      ...other,
    });
  });

  test("of a BoundEndpoint", async () => {
    const target = { service: "billing", namespace: "default", port: 80 };
    const said = { endpointURL: "billing.default", port: 10_000, target };
    expect(await stored("BoundEndpoint", said)).toEqual({
      ...said,
      scheme: "https",
      target: { ...target, protocol: "TCP" },
    });
  });

  test("and metadata may be an object, whose content stays", async () => {
    const said = { domain: "a.example.com", metadata: { team: "web", nested: { any: [1, true] } } };
    expect(await stored("Domain", said)).toMatchObject(said);
  });
});

describe("kubectl get shows", () => {
  const ready = ["REASON", "MESSAGE"];
  const registered = ["ID", "READY", "ENABLED FEATURES", "ENDPOINT SELECTORS"];
  const drain = ["UNINSTALL READY", "DRAINED", "DRAIN TOTAL", "DRAIN POLICY", "DRAIN PHASE", "SEALED POLICY"];
  const columns: Readonly<Record<string, { shown: string[]; wide: string[] }>> = {
    AgentEndpoint: {
      shown: ["URL", "UPSTREAM URL", "BINDINGS", "READY", "AGE"],
      wide: ["URL", "UPSTREAM URL", "BINDINGS", "READY", "AGE", ...ready],
    },
    BoundEndpoint: {
      shown: ["URL", "PORT", "ENDPOINTS", "SERVICES", "READY", "AGE"],
      wide: ["URL", "PORT", "ENDPOINTS", "SERVICES", "READY", "AGE", ...ready],
    },
    CloudEndpoint: {
      shown: ["ID", "URL", "BINDINGS", "AGE", "READY"],
      wide: ["ID", "URL", "BINDINGS", "AGE", "READY", ...ready],
    },
    Domain: {
      shown: ["ID", "DOMAIN", "RECLAIM POLICY", "READY", "AGE"],
      wide: ["ID", "DOMAIN", "RECLAIM POLICY", "READY", "AGE", "CNAME TARGET", ...ready],
    },
    IPPolicy: { shown: ["ID", "READY", "AGE"], wide: ["ID", "READY", "AGE", ...ready] },
    KubernetesOperator: {
      shown: [...registered, "AGE", ...drain],
      wide: [...registered, "BINDING INGRESS ENDPOINT", "AGE", "REASON", ...drain],
    },
    NgrokTrafficPolicy: { shown: ["READY", "AGE"], wide: ["READY", "REASON", "AGE"] },
  };

  test.for(ownKinds)("$kind in the contract's order, short names included", async (kind, { expect }) => {
    const name = kind.shortNames[0] ?? resourceName(kind);
    const head = async (...more: string[]): Promise<string[]> => {
      const table = await kubectl(["get", name, "-n", namespace, ...more]);
      return (table.split("\n")[0] ?? "").trim().split(/ {2,}/);
    };
    expect(await head()).toEqual(["NAME", ...(columns[kind.kind]?.shown ?? [])]);
    expect(await head("-o", "wide")).toEqual(["NAME", ...(columns[kind.kind]?.wide ?? [])]);
  });

  test("the drain of a KubernetesOperator while it runs", async () => {
    const counts = { drainedResources: 41, failedResources: 1, totalResources: 300, errors: ["Domain a/b: 503"] };
    const live = { phase: "Draining", policy: "Delete", driver: "hook", startedAt: "2026-01-02T03:04:05Z" };
    await kubectl(statusOf, [withDrain({ ...counts, ...live })]);
    const table = await kubectl(["get", resourceName(KubernetesOperator), "-n", namespace]);
    expect(table).toMatch(/ 41 +300 +Retain +Draining +Delete$/m);
  });
});

describe("the API server refuses", () => {
  let refusals = "";

  beforeAll(async () => {
    const objects = badObjects.map(({ object }, index) => here(object, `bad-${index}`));
    const error = await kubectl(["create", ...asServer, "-f", "-"], objects).catch((thrown: unknown) => thrown);
    if (!(error instanceof CommandFailed)) throw new Error("nothing was refused");
    refusals = error.stderr;
  });

  test.for(badObjects.map((bad, index) => ({ ...bad, index })))(
    "$what and names it",
    ({ index, expected }, { expect }) => {
      const refusal = refusals.split(/^(?=The )/m).find((text) => text.includes(`"bad-${index}" is invalid`));
      expect(refusal, refusals).toContain(expected);
    },
  );

  test("a drain status with more errors than a person reads, or with an unknown policy", async () => {
    const counts = { drainedResources: 1, failedResources: 0, totalResources: 1 };
    const refused = async (drain: object, why: RegExp): Promise<void> => {
      await expect(kubectl(statusOf, [withDrain(drain)])).rejects.toThrow(why);
    };
    await refused({ ...counts, errors: Array.from({ length: 21 }, () => "x") }, /status.drain.errors: Too many/);
    await refused({ ...counts, errors: ["x".repeat(1025)] }, /status.drain.errors\[0\]: Too long/);
    await refused({ ...counts, policy: "Purge" }, /status.drain.policy: Unsupported value/);
    await refused({ ...counts, totalResources: undefined }, /status.drain.totalResources: Required value/);
  });
});
