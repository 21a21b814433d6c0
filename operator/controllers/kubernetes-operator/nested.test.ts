// A KubernetesOperator whose metadata nobody can walk through: said on the object, with the remedy, before ngrok is asked.
import { expect, test } from "vitest";
import { aKubernetesOperator } from "#test/support/builders.ts";
import { nested, nestedText } from "#test/support/nested.ts";
import type { Context } from "../../runtime/define-controller.ts";
import type { Options } from "../../runtime/options.ts";
import { kubernetesOperatorController } from "./controller.ts";

const release = { name: "ngrok-operator", namespace: "ngrok-operator", fullname: "ngrok-operator" };
const asked = (): Promise<never> => Promise.reject(new Error("ngrok was asked"));
const why = "spec.metadata is nested more than 100 levels deep: write it flatter";

test.for([
  ["a map", nested(), undefined],
  ["text, which is taken apart too", nestedText(), undefined],
  ["a map, after it was registered", nested(), "k8sop_1"],
] as const)(
  "a KubernetesOperator whose metadata are %s, nested too deep, says so where it stands",
  async ([, metadata, id]) => {
    const at = { lastTransitionTime: "2026-01-01T00:00:00Z", message: "" };
    const registered = { type: "Registered", status: "True" as const, reason: "Registered", ...at };
    const { spec, ...rest } = aKubernetesOperator(id === undefined ? {} : { status: { id, conditions: [registered] } });
    const context = {
      release,
      options: { operatorIsGiven: true } as Options,
      unchanged: () => false,
      ngrok: { operators: { find: asked, matching: asked, change: asked } },
      clusterWide: true,
      reader: { get: async () => ({ metadata: { uid: "u" } }) },
      signal: new AbortController().signal,
    } as Partial<Record<keyof Context, unknown>> as Context;

    const outcome = await kubernetesOperatorController.apply({ ...rest, spec: { ...spec, metadata } }, context);

    // Left alone until somebody writes it; the drain asks for the id, which stays.
    expect(outcome).toMatchObject({ is: "stop", reason: "ConfigurationFailed", hint: why });
    expect(outcome.shown?.fields).toEqual(id === undefined ? {} : { id });
    expect(outcome.shown?.findings).toMatchObject([
      { type: "Registered", status: id === undefined ? "False" : "True" },
      { type: "Ready", status: "False", reason: "ConfigurationFailed", message: why },
    ]);
  },
);
