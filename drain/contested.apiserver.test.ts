// Others who want something else at the same time: a GitOps tool that puts things back, a webhook that is dead, a policy
// that refuses, a schema that has become narrower, a server that asks to wait for an hour. Each drain ends, and says why.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { type Kind, resourceName } from "#kube/kind.ts";
import { CustomResourceDefinition } from "#kube/kinds.ts";
import type { Writer } from "#kube/writer.ts";
import { aDomain } from "#test/support/builders.ts";
import { type HookRig, hookRig, release } from "#test/support/hook-rig.ts";
import { crdObjects } from "#scripts/generate/crds.ts";
import { conduct, type Conclusion } from "./conduct.ts";

interface CrdLike {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly versions: { schema: unknown }[] };
}

const { signal } = new AbortController();
const shop = { name: "shop-1", namespace: "shop" };
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await rig.reset();
  await rig.domains(1);
});

async function drain(policy: DrainPolicy, write: Partial<Writer> = {}, budgetMs = 60_000): Promise<Conclusion> {
  const hands = { ...rig.hands, write: { ...rig.hands.write, ...write } };
  return await conduct({ hands, release, clusterWide: true, budgetMs, signal, driver: "hook", policy: () => policy });
}

const finalizers = async (): Promise<readonly string[] | undefined> =>
  (await rig.read.get(Domain, shop, signal))?.metadata.finalizers;

describe("a GitOps tool", () => {
  test("that puts our finalizer back each time is named, and the run stops over it (F14)", async () => {
    const removeFinalizer: Writer["removeFinalizer"] = async (target, claim, stamp, until) => {
      const done = await rig.hands.write.removeFinalizer(target, claim, stamp, until);
      const patch = JSON.stringify({ metadata: { finalizers: [FINALIZER] } });
      const flags = ["--type=merge", "--field-manager=argocd-controller", "-p", patch];
      await rig.kubectl("patch", "domain/shop-1", "-n", "shop", ...flags);
      return done;
    };
    const { ending, report, farewell } = await drain("Retain", { removeFinalizer });
    expect({ ending, farewell }).toEqual({ ending: "blocked", farewell: undefined });
    expect(report.failures.map(({ object, error }) => [object, error.message, error.hint])).toEqual([
      [
        "domain shop/shop-1",
        expect.stringMatching(/^the finalizer came back 3 times, written by argocd-controller$/),
        expect.stringMatching(/^stop who writes it/),
      ],
    ]);
    // The tool is stopped, and the same command again ends well.
    expect((await drain("Retain")).ending).toBe("clean");
    expect(await finalizers()).toBeUndefined();
  });

  test("that makes each deleted object anew keeps its copy, which carries nothing of ours (F14)", async () => {
    let made = 0;
    const removeFinalizer: Writer["removeFinalizer"] = async (target, claim, stamp, until) => {
      const done = await rig.hands.write.removeFinalizer(target, claim, stamp, until);
      made += 1;
      await rig.write.create(Domain, aDomain({ metadata: shop, spec: { domain: "shop-1.example.com" } }), signal);
      return done;
    };
    const { ending } = await drain("Delete", { removeFinalizer });
    expect({ ending, made, finalizers: await finalizers() }).toEqual({
      ending: "clean",
      made: 1,
      finalizers: undefined,
    });
  });
});

describe("a GitOps tool whose manifest holds our finalizer", () => {
  test("is named also when it makes each deleted object anew, and the run stops over it (F14)", async () => {
    let made = 0;
    const removeFinalizer: Writer["removeFinalizer"] = async (target, claim, stamp, until) => {
      const before = await rig.read.get(Domain, shop, signal);
      const done = await rig.hands.write.removeFinalizer(target, claim, stamp, until);
      const annotations = before?.metadata.annotations ?? {};
      const copy = { metadata: { ...shop, annotations, finalizers: [FINALIZER] } };
      await rig.write.create(Domain, aDomain({ ...copy, spec: { domain: "shop-1.example.com" } }), signal);
      made += 1;
      return done;
    };
    const { ending, report } = await drain("Delete", { removeFinalizer });
    expect({ ending, made }).toEqual({ ending: "blocked", made: 3 });
    expect(report.failures.map(({ object, error }) => [object, error.message])).toEqual([
      ["domain shop/shop-1", expect.stringMatching(/^the finalizer came back 3 times, written by /)],
    ]);
    expect((await drain("Delete")).ending).toBe("clean");
    expect(await finalizers()).toBeUndefined();
  });
});

describe("who refuses the patch", () => {
  test("a dead webhook is named with its remedy, and the drain goes on when it is gone (F14)", async () => {
    await apply({
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      metadata: { name: "guard" },
      webhooks: [
        {
          name: "guard.example.com",
          failurePolicy: "Fail",
          sideEffects: "None",
          admissionReviewVersions: ["v1"],
          clientConfig: { url: "https://127.0.0.1:1/nobody" },
          timeoutSeconds: 1,
          rules: [
            {
              apiGroups: ["ingress.k8s.ngrok.com"],
              apiVersions: ["*"],
              resources: ["domains"],
              operations: ["UPDATE"],
            },
          ],
        },
      ],
    });
    await refuses(/guard\.example\.com/);
    // Time for more passes than it takes to call a finalizer contested: one that never went has not come back.
    const { ending, report } = await drain("Retain", {}, 15_000);
    await rig.kubectl("delete", "validatingwebhookconfiguration", "guard");
    expect(ending).toBe("paused");
    expect(report.failures[0]?.error.hint).toMatch(/webhook guard\.example\.com does not answer/);
    await goesOn();
  });

  test("a policy engine is told from a missing right, named, and asked no more (F14)", async () => {
    const rule = {
      apiGroups: ["ingress.k8s.ngrok.com"],
      apiVersions: ["*"],
      resources: ["domains"],
      operations: ["UPDATE"],
    };
    await apply(
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicy",
        metadata: { name: "frozen" },
        spec: {
          matchConstraints: { resourceRules: [rule] },
          validations: [{ expression: "false", message: "frozen" }],
        },
      },
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicyBinding",
        metadata: { name: "frozen" },
        spec: { policyName: "frozen", validationActions: ["Deny"] },
      },
    );
    await refuses(/frozen/);
    const { ending, report } = await drain("Retain");
    for (const kind of ["validatingadmissionpolicybinding", "validatingadmissionpolicy"])
      await rig.kubectl("delete", kind, "frozen");
    expect(ending).toBe("blocked");
    expect(report.failures[0]?.error.hint).toMatch(/ValidatingAdmissionPolicy frozen refuses this change/);
    await goesOn();
  });

  /** The API server obeys a new rule some moments after it was made, and forgets it as late. */
  async function refuses(wanted: RegExp | "nothing"): Promise<void> {
    const deadline = Date.now() + 120_000;
    for (let n = 1; Date.now() < deadline; n += 1) {
      const change = ["annotate", "domain/shop-1", "-n", "shop", "--overwrite", `try=${n}`];
      const refusal = await rig.kubectl(...change).then(
        () => "nothing",
        (error: unknown) => String(error),
      );
      if (wanted === "nothing" ? refusal === wanted : wanted.test(refusal)) return;
    }
    throw new Error(`the API server has not come to refuse ${wanted} within two minutes`);
  }
  async function goesOn(): Promise<void> {
    await refuses("nothing");
    const { ending } = await drain("Retain");
    expect({ ending, finalizers: await finalizers() }).toEqual({ ending: "clean", finalizers: undefined });
  }
});

describe("a schema that has become narrower", () => {
  const kinds: readonly Kind[] = [CloudEndpoint, AgentEndpoint, Domain, IPPolicy, BoundEndpoint];
  const claim = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: "ops/ngrok" } };
  const old = { metadata: { ...claim, name: "old", namespace: "shop" }, spec: { nobody: "knows this" } };
  const all: readonly object[] = crdObjects();
  const strict = (kind: Kind): CrdLike =>
    (all as readonly CrdLike[]).find(({ metadata }) => metadata.name === resourceName(kind))!;

  /** Stores `old` as an earlier release with a looser schema would have. */
  async function stored(kind: Kind): Promise<void> {
    const loose = structuredClone(strict(kind));
    const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    for (const version of loose.spec.versions) version.schema = { openAPIV3Schema: anything };
    await replace(loose);
    await takes(kind, true);
    await rig.write.create(kind, old, signal);
    await replace(strict(kind));
    await takes(kind, false);
  }

  /** A new schema is served some moments after it was written. */
  async function takes(kind: Kind, wanted: boolean): Promise<void> {
    const path = `/apis/${kind.group}/${kind.versions[0]}/namespaces/shop/${kind.plural}`;
    const type = { apiVersion: `${kind.group}/${kind.versions[0]}`, kind: kind.kind };
    const body = { ...type, ...old, metadata: { name: "probe" } };
    const request = {
      method: "POST",
      path,
      query: { dryRun: "All", fieldValidation: "Strict" },
      body,
      signal,
    } as const;
    const deadline = Date.now() + 120_000;
    for (;;) {
      const taken = await rig.connection.request(request).then(
        () => true,
        () => false,
      );
      if (taken === wanted) return;
      if (Date.now() > deadline)
        throw new Error(`the schema of ${kind.kind} is not served as wanted within two minutes`);
    }
  }

  test.for(["Retain", "Delete"] as const)(
    "%s: stored objects that satisfy it no more still lose their finalizer, whatever they lack (F24)",
    async (policy, { expect }) => {
      for (const kind of kinds) await stored(kind);
      const { ending, report } = await drain(policy);
      expect({ ending, failures: report.failures.map(({ object, error }) => `${object}: ${error.message}`) }).toEqual({
        ending: "clean",
        failures: [],
      });
      for (const kind of kinds) {
        const left = await rig.read.get(kind, { name: "old", namespace: "shop" }, signal);
        expect(left?.metadata.finalizers, kind.kind).toBeUndefined();
        expect(left === undefined, kind.kind).toBe(policy === "Delete");
        if (left !== undefined) await rig.kubectl("delete", resourceName(kind), "old", "-n", "shop");
      }
    },
  );

  async function replace(crd: CrdLike): Promise<void> {
    const { name } = crd.metadata;
    const { metadata } = (await rig.read.get(CustomResourceDefinition, { name }, signal))!;
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
    const body = { ...crd, metadata: { name, resourceVersion: metadata.resourceVersion } };
    await rig.connection.request({ method: "PUT", path, body, signal });
  }
});

describe("a wait that is longer than the time that is left", () => {
  test("ends the run at once, with its reason, and everything keeps its finalizer (F13)", async () => {
    rig.api.faults.add({
      kind: "status",
      status: 429,
      retryAfter: 3_600,
      match: { method: "DELETE" },
      times: Infinity,
    });
    // Helm's own budget; the test would be over long before it.
    const { ending, report } = await drain("Delete", {}, 270_000);
    expect(ending).toBe("paused");
    expect(report.failures[0]?.error).toMatchObject({ class: "throttled" });
    expect(await finalizers()).toEqual([FINALIZER]);
  });
});

async function apply(...objects: readonly object[]): Promise<void> {
  for (const object of objects) {
    const { apiVersion, kind } = object as { apiVersion: string; kind: string };
    const plural = kind.endsWith("y") ? `${kind.slice(0, -1)}ies` : `${kind}s`;
    await rig.connection.request({
      method: "POST",
      path: `/apis/${apiVersion}/${plural.toLowerCase()}`,
      body: object,
      signal,
    });
  }
}
