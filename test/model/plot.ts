// One story of the model: an install with objects, an uninstall (or several) with faults and with people who do what
// people do, then calm, in which every uninstall has to come to its end.
import { Domain } from "#api/domain.ts";
import { FINALIZERS } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { resourceName } from "#kube/kind.ts";
import { ConfigMap, CustomResourceDefinition, Ingress, Pod } from "#kube/kinds.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { stateRef } from "#drain/state.ts";
import { cancelCommand } from "#hooks/ngrok-drain/cancel.ts";
import type { DrainCommand } from "#hooks/ngrok-drain/command.ts";
import { policyCommand } from "#hooks/ngrok-drain/policy.ts";
import { aDomain, anIngress } from "#test/support/builders.ts";
import type { Scheduler } from "fast-check";
import { Cluster, type ClusterOptions, SHOP } from "./cluster.ts";
import { release, runCli } from "./programs.ts";
import { claimed } from "./rules.ts";

export type Deed =
  | "cancel"
  | "create"
  | "delete"
  | "delete crd"
  | "delete operator"
  | "delete pod"
  | "relax"
  | "second uninstall"
  | "wipe";

export interface Plot extends Omit<ClusterOptions, "policy" | "random"> {
  readonly seed: number;
  readonly helm: 3 | 4;
  readonly domains: number;
  readonly ingresses: number;
  /** What the values say at each uninstall; the last one stays. */
  readonly policies: readonly DrainPolicy[];
  /** Requests after the install's start until the first uninstall. */
  readonly uninstallAfter: number;
  /** Each after so many requests more, and so many milliseconds. */
  readonly deeds: readonly { readonly after: number; readonly ms: number; readonly deed: Deed }[];
}

/** What was wrong in this story; empty when nothing was. Each with the whole story for people. */
export interface Outcome {
  readonly broken: readonly string[];
  readonly story: readonly string[];
  readonly seconds: number;
  readonly executed: number;
}

/** A process that is frozen, and one that comes after it, have to have had their time. */
const MARKS_AGAIN_WITHIN_MS = 60_000;
const LOOKED_AFTER_MS = 180_000;
const TROUBLED = 2;
const CALM = 4;
const LONGEST_MS = 3_600_000;
const MOST_MESSAGES = 60_000;

export async function play(plot: Plot, scheduler: Scheduler): Promise<Outcome> {
  const random = Math.random;
  const drawn = randomOf(plot.seed);
  Math.random = drawn;
  const cluster = new Cluster(scheduler, { ...plot, policy: plot.policies[0] ?? "Retain", random: drawn });
  const { rules, time } = cluster;
  try {
    const playing = new Playing(cluster, plot);
    const over = { done: false };
    playing.all().then(
      () => (over.done = true),
      (error: unknown) => {
        rules.broken.push(`the model has a bug: ${error instanceof Error ? error.stack : String(error)}`);
        over.done = true;
      },
    );
    while (!over.done && rules.broken.length === 0) {
      const goesOn = await time.step();
      if (over.done) break;
      if (!goesOn) rules.broken.push("nobody waits for anything, and the story is not at its end");
      if (time.now > LONGEST_MS || time.messages > MOST_MESSAGES) {
        rules.broken.push(`no end after ${time.messages} messages and ${time.now / 1000}s`);
        break;
      }
    }
  } finally {
    Math.random = random;
  }
  return { broken: rules.broken, story: cluster.story, seconds: time.now / 1000, executed: cluster.executed };
}

class Playing {
  readonly #cluster: Cluster;
  readonly #plot: Plot;
  #upgrades = 0;
  #running = 0;
  #deletedOperators = 0;
  #names = 0;

  constructor(cluster: Cluster, plot: Plot) {
    this.#cluster = cluster;
    this.#plot = plot;
  }

  async all(): Promise<void> {
    const cluster = this.#cluster;
    const { domains, ingresses, uninstallAfter, deeds } = this.#plot;
    for (let n = 0; n < domains; n += 1) this.#aDomain(n % 2 === 0);
    for (let n = 0; n < ingresses; n += 1) this.#anIngress();
    await this.#requests(uninstallAfter);
    const doing = this.#deeds(deeds);
    let done = await this.#uninstall();
    await doing;
    for (let n = 1; !done && n < TROUBLED; n += 1) {
      await cluster.time.sleep(5_000);
      done = await this.#uninstall();
    }
    cluster.mishaps.calm = true;
    for (let n = 0; !done && n < CALM; n += 1) {
      await cluster.time.sleep(20_000);
      done = await this.#uninstall();
    }
    if (!done) cluster.rules.broken.push(`${CALM} uninstalls without a fault did not come to an end`);
  }

  /** `helm uninstall`: true when it says uninstalled. */
  async #uninstall(): Promise<boolean> {
    const cluster = this.#cluster;
    const { policies } = this.#plot;
    // The values change with an upgrade, and nobody upgrades while Helm still waits for an uninstall.
    if (this.#running === 0)
      cluster.policy = policies[Math.min(this.#upgrades++, policies.length - 1)] ?? cluster.policy;
    const { policy } = cluster;
    this.#running += 1;
    try {
      return await this.#helm(policy);
    } finally {
      this.#running -= 1;
    }
  }

  async #helm(policy: DrainPolicy): Promise<boolean> {
    const cluster = this.#cluster;
    const { helm } = this.#plot;
    cluster.note(`helm ${helm} uninstall, policy ${policy}`);
    const how = await cluster.drain(policy);
    // Helm 3 takes a hook whose Job was deleted for one that has ended well.
    if (how === "failed" || (how === "replaced" && helm === 4)) return false;
    // Helm has to hear of it, and goes through its list of objects.
    await cluster.time.sleep(500);
    cluster.deleteRelease();
    if ((await cluster.cleanUp(policy)) !== "ok") return false;
    cluster.rules.uninstalled(cluster.server);
    cluster.note("release uninstalled");
    return true;
  }

  async #deeds(deeds: Plot["deeds"]): Promise<void> {
    for (const { after, ms, deed } of deeds) {
      await this.#requests(after);
      await this.#cluster.time.sleep(ms);
      this.#cluster.note(`a person: ${deed}`);
      await this.#do(deed);
    }
  }

  /** Until so many requests more have been executed, or nothing happens for a while. */
  async #requests(count: number): Promise<void> {
    const until = this.#cluster.executed + count;
    for (let quiet = 0; this.#cluster.executed < until && quiet < 200; quiet += 1) await this.#cluster.time.sleep(50);
  }

  async #do(deed: Deed): Promise<void> {
    const { server, rules } = this.#cluster;
    const { name, namespace } = stateRef(release);
    switch (deed) {
      case "create":
        this.#aDomain(false);
        return;
      case "delete": {
        const domain = server.all(Domain).find(({ metadata }) => metadata.deletionTimestamp === undefined);
        const id = domain?.status?.["id"];
        if (typeof id === "string") rules.deletedByHand.add(id);
        if (domain !== undefined) server.remove(Domain, domain.metadata.name, SHOP);
        return;
      }
      case "delete crd":
        server.remove(CustomResourceDefinition, resourceName(Domain));
        return;
      case "delete operator":
        this.#deletedOperators += 1;
        server.remove(KubernetesOperator, release.name, release.namespace);
        return;
      case "delete pod": {
        const pod = server.all(Pod).find(({ metadata }) => metadata.name.startsWith("controller"));
        if (pod !== undefined) server.remove(Pod, pod.metadata.name, release.namespace);
        return;
      }
      case "wipe":
        // As `helm upgrade --force` and `kubectl replace` do it.
        server.edit(ConfigMap, name, namespace, (state) => delete state.data);
        return;
      case "relax":
        await this.#cli(policyCommand, "Retain");
        return;
      case "second uninstall":
        await this.#uninstall();
        return;
      case "cancel":
        await this.#cancel();
    }
  }

  /** What a cancel promises: no leader drains on, and what a person creates then is looked after. */
  async #cancel(): Promise<void> {
    const cluster = this.#cluster;
    const { server, rules, time } = cluster;
    if ((await this.#cli(cancelCommand)) !== 0) return;
    const before = this.#triggers();
    rules.cancelledAt = before === undefined ? undefined : time.now;
    const name = this.#aDomain(false);
    for (let waited = 0; waited < LOOKED_AFTER_MS; waited += 5_000) {
      await time.sleep(5_000);
      const asked = before === undefined || this.#triggers() !== before || rules.state.phase !== "Open";
      const domain = server.get(Domain, name, SHOP);
      const held = domain?.metadata.finalizers?.some((one) => FINALIZERS.includes(one)) === true;
      if (asked || !cluster.hasDeployment || (held && waited >= MARKS_AGAIN_WITHIN_MS)) {
        rules.cancelledAt = undefined;
        return;
      }
    }
    rules.broken.push(`the drain was cancelled, and nobody looks after ${name} (F7)`);
  }

  /** What has asked for a drain so far; undefined when something asks for it all the time. */
  #triggers(): number | undefined {
    const { server, hooksStarted } = this.#cluster;
    const crd = server.get(CustomResourceDefinition, resourceName(Domain));
    if (crd === undefined || crd.metadata.deletionTimestamp !== undefined) return undefined;
    return hooksStarted * 1_000 + this.#deletedOperators;
  }

  /** ngrok-drain on somebody's machine; its exit code. */
  async #cli(command: DrainCommand, argument?: string): Promise<number> {
    const { policy } = this.#cluster;
    const note = (text: string): void => this.#cluster.note(text);
    return await runCli({ line: this.#cluster.outside("cli"), policy, note }, command, argument);
  }

  /** As a person creates it, or as it stands when it was reconciled before. */
  #aDomain(reconciled: boolean): string {
    const { server, ngrok } = this.#cluster;
    this.#names += 1;
    const name = `shop-${this.#names}`;
    const domain = `${name}.example.com`;
    const metadata = { name, namespace: SHOP, ...(reconciled ? claimed(release) : {}) };
    if (server.get(CustomResourceDefinition, resourceName(Domain))?.metadata.deletionTimestamp !== undefined)
      return name;
    const object = aDomain({ metadata, spec: { domain } });
    const id = reconciled
      ? ngrok.make("reserved_domains", { domain, description: object.spec.description, metadata: object.spec.metadata })
      : undefined;
    server.make(Domain, {
      metadata: object.metadata,
      spec: { ...object.spec },
      ...(id === undefined ? {} : { status: { id } }),
    });
    return name;
  }

  #anIngress(): void {
    this.#names += 1;
    const metadata = { name: `web-${this.#names}`, namespace: SHOP, ...claimed(release) };
    this.#cluster.server.make(Ingress, { ...anIngress({ metadata }), spec: {} });
  }
}

/** The same numbers for the same seed: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
