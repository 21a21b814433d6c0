// Every remedy as something that can be taken out: a replacement in a source, and the test that must go red then. Run by
// `npm run test:mutants`; test/mutants/mutants.test.ts holds that none of them has gone stale.

/** A test as vitest finds it: the tests of the file whose names contain `name`. */
export interface NamedTest {
  readonly project: "unit" | "chart" | "apiserver";
  readonly file: string;
  readonly name: string;
}

export interface Mutant {
  /** The failure whose remedy goes. */
  readonly id: string;
  /** What the program does without it. */
  readonly what: string;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  readonly test: NamedTest;
}

const protocol: NamedTest = {
  project: "unit",
  file: "test/model/protocol.test.ts",
  name: "in every interleaving one writes, the policy holds, nothing is left, and every uninstall ends",
};

const unit = (file: string, name: string): NamedTest => ({ project: "unit", file, name });
const chart = (file: string, name: string): NamedTest => ({ project: "chart", file, name });
const apiserver = (file: string, name: string): NamedTest => ({ project: "apiserver", file, name });

export const mutants: readonly Mutant[] = [
  {
    id: "F1",
    what: "objects that go with their CRD are cleaned up at ngrok, as if somebody had deleted each of them",
    file: "operator/runtime/reconcile.ts",
    find: `if (standing.is === "there") return true;`,
    replace: `if (standing.is !== "unknown") return true;`,
    test: unit("operator/runtime/reconcile.test.ts", "is held while its CRD is"),
  },
  {
    id: "F2",
    what: "the cleanup hook drains nothing: what a killed drain hook left stays",
    file: "hooks/src/cleanup/hook.ts",
    find: "budgetMs: settings.budget.runMs - (world.clock.now() - began),",
    replace: "budgetMs: 0,",
    test: apiserver("hooks/src/hooks.apiserver.test.ts", "drains what a killed drain hook left"),
  },
  {
    id: "F3",
    what: "who cannot read the drain state goes on writing",
    file: "kube/write-token.ts",
    find: `      this.#trouble(error);
      return false;
    }
  }

  /** A state`,
    replace: `      this.#trouble(error);
      return true;
    }
  }

  /** A state`,
    test: unit("kube/lease.test.ts", "while the state cannot be read, nobody gets the token"),
  },
  {
    id: "F4",
    what: "a new holder of the Lease believes what its watch has brought, and does not read the state past it",
    file: "drain/state.ts",
    find: `      try {
        const object: StateObject | undefined`,
    replace: `      if (newest >= 0) return now;
      try {
        const object: StateObject | undefined`,
    test: protocol,
  },
  {
    id: "F5",
    what: "the age of a Lease is what its holder's clock wrote",
    file: "kube/lease-observer.ts",
    find: "const changedAt = same ? before.changedAt : this.#clock.now();",
    replace: `const wrote = Date.parse(lease?.spec?.renewTime ?? this.#clock.date().toISOString());
    const changedAt = this.#clock.now() - (this.#clock.date().getTime() - wrote);`,
    test: unit("kube/lease.test.ts", "is 15 s without a change on the observer's own clock"),
  },
  {
    id: "F6",
    what: "the mark comes before the preflight, so that a refusal leaves a drained operator behind",
    file: "hooks/src/drain/hook.ts",
    find: "const refusal = await preflight(work);",
    replace: `const early: Mark = { policy, driver: "hook", by: settings.identity, since: "" };
  await mark(connection, read, release, early, "create", signal);
  const refusal = await preflight(work);`,
    test: apiserver(
      "hooks/src/hooks.apiserver.test.ts",
      "Delete with a revoked key is refused before anything has changed",
    ),
  },
  {
    id: "F7",
    what: "a drain is cancelled although its KubernetesOperator is being deleted, which marks it again",
    file: "hooks/src/ngrok-drain/cancel.ts",
    find: "return operator?.metadata.deletionTimestamp !== undefined;",
    replace: "return operator === null;",
    test: protocol,
  },
  {
    id: "F8",
    what: "a hook acts by the policy of its own values, whatever the mark has sealed",
    file: "hooks/src/drain/hook.ts",
    find: `state.now.phase === "Draining" || state.now.phase === "Drained" ? state.now.policy : held.policy;`,
    replace: "settings.policy;",
    test: protocol,
  },
  {
    id: "F8b",
    what: "every mark brings its own policy",
    file: "drain/state.ts",
    find: `const policy = current.policy === "Retain" || wanted.policy === "Retain" ? "Retain" : "Delete";`,
    replace: "const { policy } = wanted;",
    test: unit("drain/state.test.ts", "the seal"),
  },
  {
    id: "F9",
    what: "a kind whose list fails counts as empty",
    file: "drain/inventory.ts",
    find: "yield { row, unknown: known(error) };",
    replace: "",
    test: unit("drain/inventory.test.ts", "a list that is refused in the middle is unknown"),
  },
  {
    id: "F10",
    what: "the hook's pod does not start without the credentials Secret",
    file: "chart/templates/hooks/drain.yaml",
    find: "optional: true",
    replace: "optional: false",
    test: chart("test/chart/hook-pods.test.ts", "a hook's pod starts although every Secret is gone"),
  },
  {
    id: "F11",
    what: "a mark that was wiped is forgotten",
    file: "drain/state.ts",
    find: `if (state.phase === "Draining" || state.phase === "Drained") closed = true;`,
    replace: "",
    test: unit("drain/state.test.ts", "a wiped mark does not open"),
  },
  {
    id: "F12",
    what: "a write is not held against the deadline as it leaves",
    file: "kube/write-token.ts",
    find: `if (this.#state === "open" && this.#leftMs() <= 0) this.#lose("it was not renewed in time");`,
    replace: "",
    test: unit("kube/lease.test.ts", "a zombie's write is refused by the deadline itself"),
  },
  {
    id: "F12b",
    what: "a leader that hangs keeps its pod, and with it a token that the API server takes",
    file: "drain/takeover.ts",
    find: "await evict(work, view.holder);",
    replace: "",
    test: protocol,
  },
  {
    id: "F13",
    what: "a Retry-After of an hour is waited for",
    file: "ngrok/pace.ts",
    find: "return ms <= SHORT_WAIT_MS && clock.now() + ms < until;",
    replace: "return clock.now() + ms < until;",
    test: unit("ngrok/pace.test.ts", "leaves a long wait to the caller"),
  },
  {
    id: "F14",
    what: "an object that a foreign finalizer holds is not done, although ours is off",
    file: "drain/ours.ts",
    find: "return object.metadata.finalizers?.some((entry) => ours.includes(entry)) ?? false;",
    replace: "return ours.length > 0 && (object.metadata.finalizers?.length ?? 0) > 0;",
    test: unit("drain/plan.test.ts", "an object without a finalizer of ours is not found at all"),
  },
  {
    id: "F15",
    what: "a person's wish for Retain is not heard",
    file: "drain/state.ts",
    find: `return current.phase === "Open" && current.wish === "Retain" ? { ...wanted, policy: "Retain" } : wanted;`,
    replace: "return wanted;",
    test: unit("drain/state.test.ts", "a person's wish for Retain wins over a release's Delete"),
  },
  {
    id: "F16",
    what: "without its drain state the leader does not drain, although the KubernetesOperator is being deleted",
    file: "drain/trigger.ts",
    find: `      if (operator?.deleting === true)
        return {`,
    replace: `      if (operator === null)
        return {`,
    test: unit("drain/trigger.test.ts", "unknown, but the KubernetesOperator is being deleted: that suffices"),
  },
  {
    id: "F16b",
    what: "a pod that is stopped because its namespace goes just ends, and nobody drains afterwards",
    file: "operator/runtime/run.ts",
    find: `if (how === "stopped" && signal.aborted) await leave(parts);`,
    replace: `if (how !== "stopped") await leave(parts);`,
    test: {
      project: "apiserver",
      file: "operator/runtime/run.apiserver.test.ts",
      name: "a pod that is stopped since its namespace is being deleted drains before it ends",
    },
  },
  {
    id: "F17",
    what: "a domain that was reserved before us is released",
    file: "drain/undo/domain.ts",
    find: `if (metadata.annotations?.[ADOPTED] === "true")`,
    replace: `if (metadata.annotations?.[ADOPTED] === "never")`,
    test: apiserver("drain/conduct.apiserver.test.ts", "what the user wants kept, and what was there before us"),
  },
  {
    id: "F18",
    what: "the stamp of another install does not count",
    file: "drain/ours.ts",
    find: `if (stamp !== undefined) return stamp === ownerOf(release) ? "stamp" : "stranger";`,
    replace: "",
    test: unit("drain/plan.test.ts", "another install's stamp"),
  },
  {
    id: "F19",
    what: "a GatewayClass is let go while another install uses it",
    file: "drain/ours.ts",
    find: `if (used) return "shared";`,
    replace: "",
    test: unit("drain/plan.test.ts", "a GatewayClass that we stamped is left to the last"),
  },
  {
    id: "F20",
    what: "the cleanup waits for pods that have ended",
    file: "drain/pods.ts",
    find: `return status?.phase === "Pending" || status?.phase === "Running";`,
    replace: "return status !== null;",
    test: apiserver("hooks/src/cleanup/waits.apiserver.test.ts", "whether it may still write"),
  },
  {
    id: "F21",
    what: "Helm deletes the drain hook's rights as soon as it gives up, while the pod still works",
    file: "chart/templates/hooks/drain.yaml",
    find: `"helm.sh/hook-weight" "-10" "helm.sh/hook-delete-policy" "before-hook-creation"`,
    replace: `"helm.sh/hook-weight" "-10" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded"`,
    test: chart("test/chart/hook-pods.test.ts", "a drain hook keeps its rights until the cleanup"),
  },
  {
    id: "F22",
    what: "the Job's deadline comes before Helm's",
    file: "chart/templates/hooks/drain.yaml",
    find: "activeDeadlineSeconds: {{ max 900 (add (int .Values.cleanupHook.timeout) 600) }}",
    replace: "activeDeadlineSeconds: 250",
    test: chart("test/chart/budgets.test.ts", "cleanupHook.timeout="),
  },
  {
    id: "F23",
    what: "a guarded patch that did not apply counts as invalid, and is not tried again",
    file: "kube/errors.ts",
    find: `      class: "conflict",
      code: "Conflict",
      message: \`\${at.path}: somebody else`,
    replace: `      class: "invalid",
      code: "Conflict",
      message: \`\${at.path}: somebody else`,
    test: unit("kube/errors.test.ts", "a test of a JSON patch failed"),
  },
  {
    id: "F24",
    what: "a stored Domain that lacks its spec cannot be let go",
    file: "drain/undo/domain.ts",
    find: `if (spec?.domain?.endsWith(".internal") === true)`,
    replace: `if ((spec as { domain: string }).domain.endsWith(".internal"))`,
    test: apiserver(
      "drain/contested.apiserver.test.ts",
      "stored objects that satisfy it no more still lose their finalizer",
    ),
  },
  {
    id: "F25",
    what: "a mesh's sidecar keeps the hook's Job from its end",
    file: "chart/templates/hooks/drain.yaml",
    find: "sidecar.istio.io/inject",
    replace: "sidecar.example.com/inject",
    test: chart("test/chart/hook-pods.test.ts", "a hook reaches what the operator reaches"),
  },
  {
    id: "F26",
    what: "a reserved address is released whoever it was reserved for",
    file: "drain/undo/service.ts",
    find: "if (!names(reserved.metadata, namespace, name))",
    replace: "if (names === undefined)",
    test: apiserver("drain/starts.apiserver.test.ts", "a reserved address goes under Delete, but only the one"),
  },
  {
    id: "F27",
    what: "the whole report goes into one object, however long it is",
    file: "drain/told.ts",
    find: "if (pieces.length === 0 || room < line.length + 1) {",
    replace: "if (pieces.length === 0) {",
    test: unit("drain/told.test.ts", "what is too long for one object goes into the next"),
  },
  {
    id: "F28",
    what: "an endpoint whose id was lost is not looked for",
    file: "drain/undo/cloud-endpoint.ts",
    find: "const left = await endpoints.matching({ url: spec.url, metadata: metadataText(spec.metadata) }, signal);",
    replace: "const left: readonly { readonly id: string }[] = [];",
    test: apiserver(
      "drain/conduct.apiserver.test.ts",
      "an endpoint whose id was lost is found by its URL and metadata",
    ),
  },
  {
    id: "stale",
    what: "the leader makes at ngrok what its watch says, although a drain has freed the object meanwhile",
    file: "operator/runtime/reconcile.ts",
    find: "!(await this.#stillHeld(current))",
    replace: "this.#stillHeld === undefined",
    test: unit("operator/runtime/reconcile.test.ts", "makes nothing at ngrok for an object that a drain has"),
  },
];

/** Failures without a mutant, and why. */
export const open: Readonly<Record<string, string>> = {};
