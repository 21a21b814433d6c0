// The whole life of an install, from its first reconcile to the sweep after its uninstall, with every flow that needs a right:
// what the programs asked the API server for in it is what the chart may grant, and no more.
import type { KubeObject } from "#kube/kind.ts";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { ConfigMap, Lease, NetworkPolicy, Pod } from "#kube/kinds.ts";
import { aCloudEndpoint, aDomain, aKubernetesOperator, anIPPolicy, anNgrokTrafficPolicy } from "./builders.ts";
import type { ChartInstall, Ended, Program, Values } from "./chart-install.ts";
import { anEndedJob } from "./ended-job.ts";
import { clearField, makeField } from "./field.ts";
import { bindsAndUnbinds, goesWithBindingsOff, leftByBindings } from "./rights-bindings.ts";
import type { Ground } from "./rights-ground.ts";
import { agentTells, forwarderTells, told } from "./rights-replicas.ts";
import { agentThatGoes, gatewayAndRoutes, ingressAndService } from "./rights-users.ts";

const STATE = "ngrok-operator-drain-state";
const REPORTS = ["", "-2", "-3", "-4", "-5", "-6", "-7", "-8"].map((piece) => `ngrok-operator-drain-report${piece}`);
const OPERATOR = "kubernetesoperator/ngrok";
const LEASE = "ngrok-operator-leader";
const at = (name: string) => ({ name, namespace: "ops" });

export class Life {
  readonly #ground: Ground;
  readonly #install: ChartInstall;
  readonly #clusterWide: boolean;
  readonly #binds: boolean;

  constructor(ground: Ground, install: ChartInstall, values: Values) {
    this.#ground = ground;
    this.#install = install;
    this.#clusterWide = values["rbac.cluster"] !== false;
    this.#binds = values["bindings.enabled"] === true;
  }

  /** Reconciles of every kind, each thing told twice, and deletions that are no drain. */
  async works(): Promise<void> {
    const { kubectl, ngrok } = this.#ground;
    await this.#put(
      anNgrokTrafficPolicy({ metadata: { name: "hello", namespace: "shop" } }),
      aCloudEndpoint({ metadata: { name: "web", namespace: "shop" }, spec: { trafficPolicyName: "hello" } }),
      aCloudEndpoint({
        metadata: { name: "broken", namespace: "shop" },
        spec: { url: "https://broken.internal", trafficPolicyName: "missing" },
      }),
      anIPPolicy({ metadata: { name: "office", namespace: "shop" } }),
      ...(this.#binds ? [] : [leftByBindings]),
    );
    const refused = ngrok.faults.add({
      kind: "status",
      status: 403,
      times: Infinity,
      match: { path: /kubernetes_operators/ },
    });
    {
      await using _ = await this.#install.manager();
      await Promise.all([told(this.#ground, "ops"), told(this.#ground, "shop")]);
    }
    {
      await using _ = await this.#install.manager();
      await Promise.all([told(this.#ground, "ops", 2), told(this.#ground, "shop", 2)]);
    }
    refused.remove();
    await using _ = await this.#readyManager({});
    const ready = ["cloudendpoint/web", "ippolicy/office", "domain/web-example-com"];
    await kubectl(["wait", "--for=condition=Ready", ...ready, "-n", "shop", "--timeout=150s"]);
    if (this.#binds) await bindsAndUnbinds(this.#ground);
    else await goesWithBindingsOff(this.#ground);
    await agentThatGoes(this.#ground);
    await ingressAndService(kubectl);
    if (this.#clusterWide) await gatewayAndRoutes(kubectl);
    await this.#install.cli(["policy", "Retain"]);
    await this.#install.cli(["cancel"]);
    for (const what of ["cloudendpoint/web", "cloudendpoint/broken", "ippolicy/office", "domain/web-example-com"])
      await kubectl(["delete", what, "-n", "shop", "--timeout=150s"]);
    await kubectl(["delete", "ngroktrafficpolicy/hello", "-n", "shop"]);
  }

  /** A forwarder whose operator is not registered, and an agent without a token. */
  async forwards(): Promise<void> {
    await agentTells(this.#ground, this.#install);
    await forwarderTells(this.#ground, this.#install);
    await this.cleared();
  }

  /** The leader drains, because its own mark says so; another replica stands by, and a person looks on. */
  async leaderDrains(): Promise<void> {
    const { asked } = this.#ground;
    {
      await using _ = await this.#readyManager({ POD_NAME: "manager-x1" });
      await this.#field();
      const standing = asked(/\/leases\?.*watch=true/);
      await using __ = await this.#install.manager({ POD_NAME: "manager-x2" });
      await standing;
      const watching = this.#install.cli(["status", "--watch"]);
      await this.#marked("S");
      ended(await watching);
    }
    for (const args of [["plan"], ["status"], ["report"]]) await this.#install.cli(args);
    await this.cleared();
  }

  /** A helm uninstall's first hook: beside another uninstall's last, then a field; the KubernetesOperator is held by a stranger. */
  async drains(): Promise<void> {
    const { kubectl, write } = this.#ground;
    await this.#operator();
    await this.#pod();
    await anEndedJob(write, kubectl, at("ngrok-operator-cleanup"));
    // The stranger's finalizer would hold the CRDs: refused where they go.
    ended(await this.#install.hook("drain", { CRDS_GO: "true" }), 1);
    ended(await this.#install.hook("drain"));
    await kubectl(["delete", "job", "ngrok-operator-cleanup", "-n", "ops"]);
    await this.#field();
    ended(await this.#install.hook("drain", { DRAIN_POLICY: "Delete" }));
    await this.cleared();
  }

  /** A drain whose state somebody deleted while pods run, and whose holder hangs. */
  async takesOver(): Promise<void> {
    const { kubectl, write, signal } = this.#ground;
    const pod = await this.#pod();
    const spec = { holderIdentity: `pod/${pod.metadata.name}/${pod.metadata.uid}`, leaseDurationSeconds: 15 };
    await kubectl(["delete", "configmap", STATE, "-n", "ops"]);
    await write.create(Lease, { metadata: at(LEASE), spec } as KubeObject, signal);
    ended(await this.#install.hook("drain"));
    await this.cleared();
  }

  /** The second hook, twice, after a first one that did nothing. */
  async cleansUp(): Promise<void> {
    const { kubectl, write, signal } = this.#ground;
    await this.#operator();
    await this.#pod();
    await this.#field();
    ended(await this.#install.hook("drain", { DRAIN_POLICY: "Purge" }), 1);
    // As the chart makes it with networkPolicy.enabled.
    const policy = { metadata: at("ngrok-operator-drain"), spec: { podSelector: {} } } as KubeObject;
    await write.create(NetworkPolicy, policy, signal);
    await write.create(ConfigMap, { metadata: at("ngrok-operator-rollback") }, signal);
    await anEndedJob(write, kubectl, at("ngrok-operator-drain"));
    await write.create(Lease, { metadata: at(LEASE) }, signal);
    ended(await this.#install.hook("cleanup", { DRAIN_POLICY: "Delete" }));
    await this.#field();
    ended(await this.#install.hook("cleanup", { DRAIN_POLICY: "Delete" }));
    await this.cleared();
  }

  /** Reports as long as they may become: taken away when they are of another drain, gone on with when they are of this one. */
  async tellsMuch(): Promise<void> {
    for (const drain of ["another", "S"]) {
      await using manager = await this.#readyManager({});
      await this.#longReport(drain);
      if (drain === "S") await this.#keptDomain();
      await this.#marked("S");
      const over = drain === "S" ? "jsonpath={.data.policy}=Delete" : "delete";
      const last = `configmap/${REPORTS.at(drain === "S" ? -1 : 0)}`;
      await this.#ground.kubectl(["wait", `--for=${over}`, last, "-n", "ops", "--timeout=150s"]);
      await manager[Symbol.asyncDispose]();
      await this.cleared();
    }
    await this.#longReport("another");
    ended(await this.#install.hook("drain"));
    const since = await this.#ground.kubectl(["get", "configmap", STATE, "-n", "ops", "-o", "jsonpath={.data.since}"]);
    await this.#longReport(since);
    await this.#keptDomain();
    ended(await this.#install.hook("drain"));
    await this.#longReport(since);
    await this.#keptDomain();
    ended(await this.#install.hook("cleanup"));
    await this.#longReport(since, 1);
    ended(await this.#install.hook("cleanup"));
    await this.cleared();
  }

  /** An earlier ingress.watchNamespace has left objects in another namespace. */
  async findsWhatIsElsewhere(): Promise<void> {
    await this.#field("elsewhere");
    ended(await this.#install.hook("drain", { DRAIN_POLICY: "Delete" }));
    await this.cleared();
  }

  /** The watched namespace is gone, and what was granted in it. */
  async missesItsNamespace(): Promise<void> {
    const { kubectl } = this.#ground;
    await kubectl(["delete", "namespace", "shop", "--timeout=150s"]);
    ended(await this.#install.hook("drain"));
    await kubectl(["create", "namespace", "shop"]);
    await this.cleared();
  }

  async #readyManager(env: Readonly<Record<string, string>>): Promise<Program> {
    const program = await this.#install.manager(env);
    await this.#ground.asked(/\/kubernetesoperators\//);
    await this.#ground.kubectl(["wait", "--for=create", OPERATOR, "-n", "ops", "--timeout=150s"]);
    await this.#ground.kubectl(["wait", "--for=condition=Ready", OPERATOR, "-n", "ops", "--timeout=150s"]);
    return program;
  }

  /** As a leader would have marked it that is gone meanwhile. */
  async #marked(since: string): Promise<void> {
    const data = { phase: "Draining", policy: "Delete", driver: "leader", by: "pod/gone/1", since };
    await this.#ground.kubectl([
      "patch",
      "configmap",
      STATE,
      "-n",
      "ops",
      "--type=merge",
      "-p",
      JSON.stringify({ data }),
    ]);
  }

  /** Eight pieces, each as large as an object may be; `pieces`: how many the first says there are. */
  async #longReport(drain: string, pieces = REPORTS.length): Promise<void> {
    const { kubectl, write, signal } = this.#ground;
    await kubectl(["delete", "configmaps", ...REPORTS, "-n", "ops", "--ignore-not-found"]);
    for (const [index, name] of REPORTS.entries()) {
      const lines = Array.from(
        { length: 9 },
        (_, n) => `domain old/d-${index}-${n} rd_1: ${"because ".repeat(11_800)}`,
      );
      const data = { drain, piece: `${index + 1} of ${pieces}`, at: "2026-01-01T00:00:00Z", kept: lines.join("\n") };
      await write.create(ConfigMap, { metadata: at(name), data }, signal);
    }
  }

  /** One Domain that a drain keeps at ngrok and reports. */
  async #keptDomain(): Promise<void> {
    const { write, signal } = this.#ground;
    const annotations = { [DRAIN_OWNER]: "ops/ngrok" };
    const metadata = { name: "own", namespace: "shop", annotations, finalizers: [FINALIZER] };
    await write.create(Domain, aDomain({ metadata, spec: { reclaimPolicy: "Retain" } }), signal).catch(() => undefined);
  }

  async #field(namespace = "shop"): Promise<void> {
    const { connection, ngrok } = this.#ground;
    await clearField(connection);
    ngrok.reset();
    await makeField(connection, ngrok, namespace, this.#clusterWide);
  }

  async #operator(): Promise<void> {
    const { write, signal } = this.#ground;
    const annotations = { [DRAIN_OWNER]: "ops/ngrok" };
    const metadata = { ...at("ngrok"), annotations, finalizers: ["acme.io/keep", FINALIZER] };
    await write.create(KubernetesOperator, aKubernetesOperator({ metadata }), signal);
  }

  async #pod(): Promise<KubeObject> {
    const { write, signal } = this.#ground;
    const labels = { "app.kubernetes.io/instance": "ngrok", "app.kubernetes.io/component": "controller" };
    const spec = { containers: [{ name: "a", image: "a" }] };
    return await write.create(Pod, { metadata: { ...at("manager-1"), labels }, spec } as KubeObject, signal);
  }

  async #put(...objects: KubeObject[]): Promise<void> {
    const list = { apiVersion: "v1", kind: "List", items: objects };
    await this.#ground.kubectl(["create", "-f", "-"], JSON.stringify(list));
  }

  /** As Helm, or Argo CD, would leave it for the next story. */
  async cleared(): Promise<void> {
    const { kubectl, connection } = this.#ground;
    await clearField(connection);
    const off = ["-p", '{"metadata":{"finalizers":null}}', "--type=merge"];
    await kubectl(["patch", OPERATOR, "-n", "ops", ...off]).catch(() => undefined);
    const kinds = "kubernetesoperators,configmaps,leases,pods,jobs,events";
    await kubectl(["delete", kinds, "--all", "-n", "ops", "--force", "--grace-period=0"]);
    await this.#install.apply(
      ({ kind, metadata }) => kind === "KubernetesOperator" || (kind === "ConfigMap" && metadata.name === STATE),
    );
  }
}

function ended({ code, log }: Ended, wanted = 0): void {
  if (code !== wanted) throw new Error(`it ended with ${code}, not ${wanted}:\n${log}`);
}
