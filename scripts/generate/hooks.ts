// A hook's Job, ServiceAccount, Roles and bindings from its definition (hooks/src/define-hook.ts).
import { readFileSync } from "node:fs";
import Handlebars from "handlebars";
import type { EnvVar, Hook } from "#hooks/define-hook.ts";
import { budgetOf } from "#drain/budget.ts";
import { banner, type GeneratedFile } from "./generated-file.ts";
import { named, WATCHES_ALL, whole } from "./helm-names.ts";
import { ownRoles, watchRole, type Role, type Subject } from "./rbac.ts";

/** What the generator reads of a hook: all but what it does. */
export type HookDefinition = Omit<Hook<Record<string, EnvVar>>, "run">;

const handlebars = Handlebars.create();
handlebars.registerHelper("list", (items: readonly string[]) => items.join(", "));
handlebars.registerPartial("rights", source("rights.hbs"));
const options = { noEscape: true, preventIndent: true };
const hookTemplate = handlebars.compile(source("hook.hbs"), options);
const rightsTemplate = handlebars.compile(source("rights.hbs"), options);

/**
 * Roles with their bindings as a template of the release, and no hook: for the pods, and for what outlives a namespace. They
 * are bound to `others` (ServiceAccounts too, as Helm expressions) as well.
 */
export function rightsFile(
  path: string,
  from: string,
  serviceAccount: string,
  roles: readonly Role[],
  others: readonly string[] = [],
): GeneratedFile {
  const text = rightsTemplate({ roles, serviceAccount, others, annotations: "dict" });
  return { path, text: banner(from) + text };
}

/** The test that goes the way of the pre-delete hook, under its rights. */
const REHEARSAL = "rehearsal";
/** Pods after one that was killed. */
const CLEANUP_RETRIES = 3;
/** A test ends within Helm's own default of 300 s, also where its pod never starts; a node that is made for it takes minutes. */
const TEST_SECONDS = 270;
/** So long a test that failed can be asked why. */
const TEST_STAYS_SECONDS = 120;

/**
 * The templates of one hook: `chart/templates/hooks/<name>.yaml`, and for a pre-delete hook its Role in the watched
 * namespace as an object of the release. Were that a hook too, a namespace that is gone would fail every uninstall. A test has
 * none of its own for the same reason: the pre-delete hook's is bound to it too.
 */
export function hookFiles(hook: HookDefinition): readonly GeneratedFile[] {
  const from = `hooks/src/${hook.name}/hook.ts`;
  const before = hook.phase !== "post-delete";
  const subject = subjectOf(hook);
  const test = hook.phase === "test";
  const released = hook.phase === "pre-delete" ? watchRole(subject) : [];
  const hooked = hook.phase === "post-delete" ? watchRole(subject) : [];
  const roles = [...hooked, ...ownRoles(subject)];
  const deletePolicy = {
    "pre-delete": "before-hook-creation",
    "post-delete": "before-hook-creation,hook-succeeded",
    // Nothing of a test is there on uninstall day, however it ended.
    test: "before-hook-creation,hook-succeeded,hook-failed",
  }[hook.phase];
  const text = hookTemplate({
    component: hook.name,
    summary: hook.summary,
    phase: hook.phase,
    weight: hook.weight,
    rightsWeight: hook.weight - 10,
    // Helm that gives up would delete the rights of a Job that still runs, if their policy were hook-succeeded.
    deletePolicy,
    // A test that failed can be asked why, until Kubernetes takes it away.
    jobDeletePolicy: test ? "before-hook-creation,hook-succeeded" : deletePolicy,
    retries: before ? undefined : CLEANUP_RETRIES,
    testSeconds: test ? TEST_SECONDS : undefined,
    testStays: TEST_STAYS_SECONDS,
    name: named(hook.name),
    serviceAccount: named(hook.name),
    annotations: "$rights",
    roles,
    ownSecret: !before && Object.values(hook.env).some((variable) => variable.from === "secret"),
    env: Object.entries(hook.env).map(([name, variable]) => envOf(name, variable, before)),
    jobSeconds: budgetOf(30).jobSeconds,
    afterHelm: budgetOf(100_000).jobSeconds - 100_000,
  });
  const files = [{ path: `chart/templates/hooks/${hook.name}.yaml`, text: banner(from) + text }];
  if (released.length === 0) return files;
  const guarded = released.map((role) => ({
    ...role,
    when: `and (include "ngrok-operator.hasHooks" .) (${role.when})`,
  }));
  const path = `chart/templates/rbac/${hook.name}.yaml`;
  return [...files, rightsFile(path, from, named(hook.name), guarded, [named(REHEARSAL)])];
}

/** All objects of a hook bear its name, so that a later run finds what an earlier one left; those of the cluster bear it uncut. */
function subjectOf(hook: HookDefinition): Subject {
  const own = [named(hook.name), named(hook.name)] as const;
  const cluster = [whole(hook.name), whole(hook.name)] as const;
  const watch = [whole(`${hook.name}-watch`), whole(`${hook.name}-watch`)] as const;
  const wide = hook.phase === "post-delete" ? `include "ngrok-operator.cleanupWide" .` : WATCHES_ALL;
  return { rules: hook.rbac, wide, names: { wide: cluster, cluster, release: own, watch } };
}

function envOf(name: string, variable: EnvVar, before: boolean): Record<string, string> {
  switch (variable.from) {
    case "helm":
      return { name, value: variable.value.includes(" ") ? `(${variable.value})` : variable.value };
    case "field":
      return { name, path: variable.path };
    case "secret":
      return {
        name,
        key: variable.key,
        secret: `include "ngrok-operator.${before ? "credentials" : "credentialsAfterwards"}" .`,
      };
  }
}

function source(file: string): string {
  return readFileSync(new URL(file, import.meta.url), "utf8");
}
