// Remedies of what works while there is no drain: the write token, the reconcile, the way to both servers.
import { apiserver, type Mutant, unit } from "./mutant.ts";

export const ofOperator: readonly Mutant[] = [
  {
    id: "F1",
    what: "objects that go with their CRD are cleaned up at ngrok, as if somebody had deleted each of them",
    file: "operator/runtime/reconcile.ts",
    find: `if (standing.is === "there") return true;`,
    replace: `if (standing.is !== "unknown") return true;`,
    test: unit("operator/runtime/reconcile.test.ts", "is held while its CRD is"),
  },
  {
    id: "F1b",
    what: "a KubernetesOperator that goes with its CRD is taken for a wish to uninstall",
    file: "drain/trigger.ts",
    find: `  if (crdTerminating) return MASS_DELETION;
`,
    replace: "",
    test: apiserver("operator/runtime/mass-deletion.apiserver.test.ts", "is nobody's wish to uninstall"),
  },
  {
    id: "F1c",
    what: "without rights in the cluster nobody asks whether the KubernetesOperator goes with its CRD",
    file: "operator/runtime/signs.ts",
    find: `if (standing.is !== "unknown") return standing.is === "terminating";`,
    replace: `if (standing.is !== "unknown") return false;`,
    test: apiserver("operator/runtime/mass-deletion.apiserver.test.ts", "is nobody's wish to uninstall"),
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
    id: "F5",
    what: "the age of a Lease is what its holder's clock wrote",
    file: "kube/lease-observer.ts",
    find: "const changedAt = same ? before.changedAt : this.#clock.now();",
    replace: `const wrote = Date.parse(lease?.spec?.renewTime ?? this.#clock.date().toISOString());
    const changedAt = this.#clock.now() - (this.#clock.date().getTime() - wrote);`,
    test: unit("kube/lease.test.ts", "is 15 s without a change on the observer's own clock"),
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
    id: "F13",
    what: "a Retry-After of an hour is waited for",
    file: "ngrok/pace.ts",
    find: "return ms <= SHORT_WAIT_MS && clock.now() + ms < until;",
    replace: "return clock.now() + ms < until;",
    test: unit("ngrok/pace.test.ts", "leaves a long wait to the caller"),
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
    id: "stale",
    what: "the leader makes at ngrok what its watch says, although a drain has freed the object meanwhile",
    file: "operator/runtime/reconcile.ts",
    find: "!(await this.#stillHeld(current))",
    replace: "this.#stillHeld === undefined",
    test: unit("operator/runtime/reconcile.test.ts", "makes nothing at ngrok for an object that a drain has"),
  },
  {
    id: "ghost",
    what: "an answer that comes after the deletion of its object brings that back, and its tunnel with it",
    file: "operator/runtime/cache.ts",
    find: "if (isHeld || isNews) this.take(object);",
    replace: "this.take(object);",
    test: unit("operator/runtime/late-answers.test.ts", "an answer that comes after the deletion of its object"),
  },
];
