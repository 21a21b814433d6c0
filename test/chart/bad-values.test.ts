// What a person may get wrong in values: Helm refuses with the name of the field, whichever Helm it is.
import { expect, test } from "vitest";
import { REFUSED_BY_SCHEMA } from "./bad-values.ts";
import { refusal, templateText, type HelmVersion } from "./helm.ts";

const HELMS: readonly HelmVersion[] = ["helm3", "helm4"];

test.for(REFUSED_BY_SCHEMA)("$set is refused by name", async ({ set, says }) => {
  expect(await refusal({ set: [set] })).toContain(says);
});

test.for(["drainPolicy=Purge", "drainPolicy=null", "drainPolcy=Delete", "cleanupHook.timeout=-1"])(
  "%s is refused by Helm 3 in the same words",
  async (set) => {
    const [three, four] = await Promise.all(HELMS.map((helm) => refusal({ helm, set: [set] })));
    expect(three).toBe(four);
    expect(three).toMatch(/drainPolicy|drainPolcy|timeout/);
  },
);

test("a quoted boolean is refused by name", async () => {
  expect(await refusal({ json: ['gateway.enabled="true"'] })).toContain(
    "at '/gateway/enabled': got string, want boolean",
  );
});

test.for(HELMS)("%s without schema validation still meets the checks in the templates", async (helm) => {
  const text = await refusal({ helm, set: ["drainPolicy=Keep"], flags: ["--skip-schema-validation"] });
  expect(text).toMatch(/drainPolicy "Keep".*\n +remedy: Retain or Delete/);
});

test.for(HELMS)(
  "an older chart's values, reused by %s, are refused with what they lack and what to do",
  async (helm) => {
    const text = await refusal({ helm, json: ["crds=null"] });
    expect(text).toContain("missing property 'crds'");
    expect(text).toContain("wants --reset-then-reuse-values instead of --reuse-values");
  },
);

test("a chart above this one may pass global and enabled", async () => {
  const text = await templateText({ set: ["global.imageRegistry=mirror.local", "global.other=1", "enabled=true"] });
  expect(text).toContain("image: mirror.local/ngrok/ngrok-operator:");
});
