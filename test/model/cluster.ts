// The cluster of the model: what a kubelet, a Deployment's controller, Helm and the namespaced garbage collection do around
// the processes of ours, which are the real ones: api-manager, both hooks, the CLI.
import { Domain } from "#api/domain.ts";
import { ownKinds } from "#api/own-kinds.ts";
import { namesOf } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { stateRef } from "#drain/state.ts";
import { resourceName } from "#kube/kind.ts";
import { ConfigMap, CustomResourceDefinition, Deployment, Namespace, Pod } from "#kube/kinds.ts";
import type { Scheduler } from "fast-check";
import { ApiServer, type Stored } from "./api-server.ts";
import { type MishapOptions, Mishaps, type Role } from "./mishaps.ts";
import { Line, type Wires } from "./network.ts";
import { Ngrok } from "./ngrok.ts";
import { type Program, release, runHook, runManager } from "./programs.ts";
import { Rules } from "./rules.ts";
import { Process, Time } from "./time.ts";

export const SHOP = "shop";

export interface ClusterOptions extends MishapOptions {
  readonly replicas: number;
  readonly policy: DrainPolicy;
  readonly crdsGo: boolean;
  /** How far the wall clocks of the pods are off, taken in turn. */
  readonly skews: readonly number[];
  readonly random: () => number;
}

/** The API server's cache of tokens that it has accepted. */
const TOKEN_CACHE_MS = 10_000;
const GRACE_MS = 30_000;
/** A kubelet hears of a deletion by its watch, too. */
const KUBELET_HEARS_MS = 400;

export class Cluster {
  readonly time: Time;
  readonly server = new ApiServer();
  readonly ngrok = new Ngrok();
  readonly rules: Rules;
  readonly story: string[] = [];
  readonly mishaps: Mishaps;
  /** Requests that were executed. */
  executed = 0;
  policy: DrainPolicy;
  /** The pre-delete hooks that were started, and whether Helm still waits for each. */
  hooksStarted = 0;
  readonly #options: ClusterOptions;
  readonly #wires: Wires;
  readonly #endedTokens = new Map<string, number>();
  readonly #pods = new Map<string, { readonly process: Process; readonly terminate: () => void }>();
  #names = 0;

  constructor(scheduler: Scheduler, options: ClusterOptions) {
    this.#options = options;
    this.policy = options.policy;
    this.time = new Time(scheduler);
    this.mishaps = new Mishaps(options);
    this.rules = new Rules(this.time, this.ngrok, release);
    this.server.date = () => this.time.date();
    this.server.onChange = (change) => {
      this.rules.changed(change);
      if (change.kind === Pod && change.after === undefined) this.#podGone(change.before);
      if (change.kind === Pod && change.after?.metadata.deletionTimestamp !== undefined) this.#terminate(change.after);
      if (change.kind === CustomResourceDefinition && change.after?.metadata.deletionTimestamp !== undefined)
        this.#cascade(change.after.metadata.name);
    };
    this.ngrok.onCreate = (collection, body) => {
      const wanted = this.server.all(Domain).find(({ spec }) => spec?.["domain"] === body["domain"]);
      if (collection === "reserved_domains") this.rules.reserved(String(body["domain"]), wanted);
    };
    this.ngrok.onDelete = (collection, id) => this.rules.deletedRemotely(collection, id);
    this.#wires = {
      time: this.time,
      server: this.server,
      ngrok: this.ngrok,
      random: options.random,
      fault: ({ role }, fenced) => this.mishaps.faultOf(role, fenced),
      holdOf: (line) => this.rules.holdOf(line),
      executing: (sent) => {
        this.rules.sent = sent;
        if (sent !== undefined) this.executed += 1;
      },
      answered: (from, answer) => this.rules.heard(from, answer),
      note: (text) => this.note(text),
      lag: ({ process }, path) => this.mishaps.lagOf(`${process.name} ${path}`),
    };
    this.#install();
  }

  note(text: string): void {
    this.story.push(`${(this.time.now / 1000).toFixed(3).padStart(8)}  ${text}`);
  }

  /** A process outside the cluster, with an admin's login. */
  outside(role: Role): Line {
    this.#names += 1;
    return new Line(this.#wires, new Process(this.time, `${role}-${this.#names}`), role);
  }

  /** The pre-delete hook as Helm runs it; "replaced" when another uninstall deleted its Job. */
  async drain(policy: DrainPolicy): Promise<"ok" | "failed" | "replaced"> {
    for (const { metadata } of this.#podsOf("drain")) this.server.drop(Pod, metadata.name, release.namespace);
    this.hooksStarted += 1;
    return await this.#ended(this.#startHook("drain", policy));
  }

  async cleanUp(policy: DrainPolicy): Promise<"ok" | "failed" | "replaced"> {
    for (const { metadata } of this.#podsOf("cleanup")) this.server.drop(Pod, metadata.name, release.namespace);
    return await this.#ended(this.#startHook("cleanup", policy));
  }

  /** What Helm deletes between the hooks. */
  deleteRelease(): void {
    this.note("helm deletes the release's objects");
    this.server.remove(Deployment, namesOf(release).manager, release.namespace);
    for (const pod of this.#podsOf("controller")) this.server.remove(Pod, pod.metadata.name, release.namespace);
    const { name, namespace } = stateRef(release);
    this.server.remove(ConfigMap, name, namespace);
    if (!this.#options.crdsGo) return;
    for (const kind of ownKinds) this.server.remove(CustomResourceDefinition, resourceName(kind));
  }

  /** Whether the operator is still wanted. */
  get hasDeployment(): boolean {
    return this.server.get(Deployment, namesOf(release).manager, release.namespace) !== undefined;
  }

  #install(): void {
    const { server } = this;
    for (const name of [release.namespace, SHOP, "default"]) server.make(Namespace, { metadata: { name } });
    for (const kind of ownKinds) {
      const finalizers = ["customresourcecleanup.apiextensions.k8s.io"];
      server.make(CustomResourceDefinition, { metadata: { name: resourceName(kind), finalizers } });
    }
    server.make(ConfigMap, { metadata: { ...stateRef(release) } });
    server.make(Deployment, { metadata: { name: namesOf(release).manager, namespace: release.namespace } });
    for (let n = 0; n < this.#options.replicas; n += 1) this.#startManagerPod();
  }

  #podsOf(component: string): readonly Stored[] {
    return this.server
      .all(Pod)
      .filter(({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] === component);
  }

  #pod(component: string): { name: string; uid: string } {
    this.#names += 1;
    const name = `${component}-${this.#names}`;
    const labels = { "app.kubernetes.io/instance": release.name, "app.kubernetes.io/component": component };
    const metadata = { name, namespace: release.namespace, labels };
    const { uid = "" } = this.server.make(Pod, { metadata, status: { phase: "Running" } }).metadata;
    return { name, uid };
  }

  #line(role: Role, name: string, uid: string): Line {
    const { skews } = this.#options;
    const process = new Process(this.time, name, skews[this.#names % Math.max(1, skews.length)] ?? 0);
    return new Line(this.#wires, process, role, () => {
      const endedAt = this.#endedTokens.get(uid);
      if (endedAt === undefined || this.time.now - endedAt < TOKEN_CACHE_MS) return undefined;
      return "the pod of this token is gone";
    });
  }

  #startManagerPod(): void {
    const { name, uid } = this.#pod("controller");
    this.#startManager(name, uid);
  }

  /** A container of the pod; when it ends, the kubelet starts it anew. */
  #startManager(name: string, uid: string): void {
    const line = this.#line("leader", name, uid);
    const { process } = line;
    const stop = new AbortController();
    const again = (): void => {
      const pod = this.server.get(Pod, name, release.namespace);
      if (pod === undefined) return;
      if (pod.metadata.deletionTimestamp !== undefined) this.server.drop(Pod, name, release.namespace);
      else
        this.time.after(1_000, () => {
          const still = this.server.get(Pod, name, release.namespace);
          if (still !== undefined && still.metadata.deletionTimestamp === undefined) this.#startManager(name, uid);
          else if (still !== undefined) this.server.drop(Pod, name, release.namespace);
        });
    };
    process.onKill = again;
    this.#pods.set(name, {
      process,
      terminate: () => process.reach(() => stop.abort(new Error("SIGTERM was received"))),
    });
    this.note(`${name} starts`);
    void runManager(this.#program(line, uid, this.policy, stop.signal)).then(
      (code) => {
        this.note(`${name} ends with ${code}`);
        process.kill();
      },
      (error: unknown) => this.rules.broken.push(`${name} has a bug: ${String(error)}`),
    );
  }

  #program(line: Line, uid: string, policy: DrainPolicy, signal: AbortSignal): Program {
    const { crdsGo } = this.#options;
    return { line, uid, policy, crdsGo, signal, note: (text) => this.note(text) };
  }

  #startHook(role: "drain" | "cleanup", policy: DrainPolicy): string {
    const { name, uid } = this.#pod(role);
    const line = this.#line(role, name, uid);
    if (role === "cleanup") this.rules.cleansUp(line, policy);
    const ended = Promise.withResolvers<"ok" | "failed" | "replaced">();
    this.#hookEnds.set(name, ended);
    line.process.onKill = () =>
      ended.resolve(this.server.get(Pod, name, release.namespace) === undefined ? "replaced" : "failed");
    this.#pods.set(name, { process: line.process, terminate: () => undefined });
    this.note(`${name} starts`);
    const { signal } = new AbortController();
    runHook(role, this.#program(line, uid, policy, signal)).then(
      (ok) => ended.resolve(ok ? "ok" : "failed"),
      (error: unknown) => {
        this.note(`${name} fails: ${String(error)}`);
        ended.resolve("failed");
      },
    );
    return name;
  }

  readonly #hookEnds = new Map<string, PromiseWithResolvers<"ok" | "failed" | "replaced">>();

  /** Its pod stays as Completed or Failed; its process does nothing more. */
  async #ended(name: string): Promise<"ok" | "failed" | "replaced"> {
    const over = Promise.withResolvers<"failed">();
    const off = this.time.after(300_000, () => {
      this.note(`helm gives up waiting for ${name}`);
      over.resolve("failed");
    });
    const how = await Promise.race([this.#hookEnds.get(name)?.promise ?? over.promise, over.promise]);
    off();
    this.server.edit(
      Pod,
      name,
      release.namespace,
      (pod) => (pod.status = { phase: how === "ok" ? "Succeeded" : "Failed" }),
    );
    this.note(`${name}: ${how}`);
    return how;
  }

  #podGone(pod: Stored | undefined): void {
    if (pod === undefined) return;
    const { name, uid = "", labels } = pod.metadata;
    this.#endedTokens.set(uid, this.time.now);
    this.note(`pod ${name} is gone`);
    // Its process may live on where the node is not heard of: it is stopped there, not killed.
    const process = this.#pods.get(name)?.process;
    if (process !== undefined && !process.stopped) this.time.after(10, () => process.kill());
    if (labels?.["app.kubernetes.io/component"] === "controller")
      this.time.after(1_500, () => {
        if (this.hasDeployment && this.#podsOf("controller").length < this.#options.replicas) this.#startManagerPod();
      });
  }

  #terminate(pod: Stored): void {
    const { name } = pod.metadata;
    const entry = this.#pods.get(name);
    this.time.after(KUBELET_HEARS_MS, () => {
      if (entry?.process.alive !== true) this.server.drop(Pod, name, release.namespace);
      else entry.terminate();
    });
    this.time.after(GRACE_MS, () => this.server.drop(Pod, name, release.namespace));
  }

  /** The objects of a kind that goes are deleted, one after the other. */
  #cascade(name: string): void {
    const kind = ownKinds.find((one) => resourceName(one) === name);
    if (kind === undefined) return;
    const objects = this.server.all(kind);
    if (objects.length === 0)
      this.time.after(1, () =>
        this.server.edit(CustomResourceDefinition, name, undefined, ({ metadata }) => delete metadata.finalizers),
      );
    for (const { metadata, status } of objects) {
      const id = status?.["id"];
      if (typeof id === "string" && metadata.deletionTimestamp === undefined) this.rules.wentWithKind.add(id);
      void this.time
        .arrival(`the API server deletes ${kind.kind} ${metadata.name}`)
        .then(() => this.server.remove(kind, metadata.name, metadata.namespace));
    }
  }
}
