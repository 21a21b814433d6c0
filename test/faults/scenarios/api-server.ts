// The API server on a bad day: late rights, throttling, lost calls, a restart, kinds that go or are gone, old answers.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { podOf, writes } from "#test/support/audit.ts";
import { FULLNAME, RELEASE } from "#test/support/open-scene.ts";
import { defineScenario, unguarded } from "../scenario.ts";
import { scaleToZero } from "./kills.ts";

const ALWAYS = Number.POSITIVE_INFINITY;
const DRAIN = { caller: "drain" } as const;
const FORBIDDEN = 'is forbidden: User "system:serviceaccount:drain" cannot do this (fault on demand)';
/** What a program of ours takes for the time; its argument says which it is. */
const SKEW = Buffer.from(
  `const Real = Date, ms = process.argv[1]?.includes("/hooks/") ? 36e5 : -36e5;
globalThis.Date = class extends Real {
  constructor(...given) { if (given.length > 0) super(...given); else super(Real.now() + ms); }
  static now() { return Real.now() + ms; }
};`,
).toString("base64");
const manager = `deployment/${FULLNAME}-manager`;

export const apiServer = [
  defineScenario({
    name: "rights-arrive-late",
    sentence: "The rights of the hook reach the API server ten seconds after its pod",
    before: async ({ proxy, onEnd }) => {
      const late = proxy.add({ kind: "status", status: 403, message: FORBIDDEN, match: DRAIN, times: ALWAYS });
      const settled = late.hit.then(async () => {
        await pause(10_000);
        late.release();
      });
      onEnd(async () => await settled);
      await Promise.resolve();
    },
  }),
  defineScenario({
    name: "verb-missing",
    sentence: "Somebody takes a verb from the hook's role as soon as Helm has made it",
    keepFalse: true,
    helmTimeout: 60,
    firstEnd: [/refused .*may not patch .*domains/, /Nothing was changed/],
    during: async ({ kubectl }) => {
      const role = `clusterrole/${FULLNAME}-drain`;
      await kubectl.run(["wait", "--for=create", role, "--timeout=150s"]);
      const { rules } = await kubectl.json<{ rules: { resources: string[]; verbs: string[] }[] }>(["get", role]);
      const fewer = rules.map((rule) =>
        rule.resources.includes("domains") ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== "patch") } : rule,
      );
      await kubectl.run(["patch", role, "--type=merge", "-p", JSON.stringify({ rules: fewer })]);
    },
  }),
  defineScenario({
    name: "api-server-restarts",
    sentence: "The API server is killed and comes back while the hook drains",
    keepFalse: true,
    // Helm itself may lose its watch of the Job.
    firstEnd: "maybe",
    before: async ({ proxy, processes, random, onEnd }) => {
      const restart = proxy.add({
        kind: "do",
        match: DRAIN,
        skip: random.int(10, 60),
        run: async () => await processes.restartApiServer(),
      });
      onEnd(async () => {
        assert.equal(restart.hits, 1, "the API server was restarted");
        await Promise.resolve();
      });
      await Promise.resolve();
    },
  }),
  defineScenario({
    name: "api-server-throttles",
    sentence: "The API server answers a third of the hook's calls with 429 and asks to wait a second",
    // The hook keeps to each wait it is asked for: under Delete some draws of it do not fit into a minute.
    helmTimeout: 90,
    before: async ({ proxy }) => {
      proxy.add({ kind: "status", status: 429, retryAfter: 1, match: DRAIN, chance: 0.33, times: ALWAYS });
      await Promise.resolve();
    },
  }),
  defineScenario({
    name: "calls-get-lost",
    sentence:
      "One of twenty calls of operator and hooks hangs or is reset, some of them after they were carried out (F12)",
    keepFalse: true,
    firstEnd: "maybe",
    before: async ({ proxy }) => {
      proxy.add({ kind: "hang", chance: 0.015, times: ALWAYS });
      proxy.add({ kind: "reset", chance: 0.02, times: ALWAYS });
      proxy.add({ kind: "reset", after: "commit", chance: 0.015, times: ALWAYS });
      await Promise.resolve();
    },
  }),
  defineScenario({
    name: "etcd-compacted",
    sentence: "etcd is compacted between two pages of the drain's list, so that its continuation is answered with 410",
    count: 1_800,
    helmTimeout: 90,
    policies: ["Retain"],
    leftOut: "Lists are read alike under both policies",
    before: async ({ proxy, processes, onEnd }) => {
      const compacted = proxy.add({
        kind: "do",
        match: { ...DRAIN, method: "GET", query: /(^|&)continue=/ },
        run: async () => await processes.compactEtcd(),
      });
      onEnd(async () => {
        assert.equal(compacted.hits, 1, "a list was continued");
        await Promise.resolve();
      });
      await Promise.resolve();
    },
  }),
  defineScenario({
    name: "crd-missing",
    sentence: "One of our CRDs has been deleted with all its objects before the uninstall (E17)",
    values: unguarded,
    crdsLeft: 6,
    keepFalse: true,
    before: async (act) => {
      await scaleToZero(act);
      const { kubectl } = act;
      const template = "jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name}{'\\n'}{end}";
      const listed = await kubectl.run(["get", "ippolicies", "-A", "-o", template]);
      for (const line of listed.trim().split("\n")) {
        const [namespace = "", name = ""] = line.split(" ");
        const patch = '{"metadata":{"finalizers":null}}';
        await kubectl.run(["patch", "ippolicy", "-n", namespace, name, "--type=merge", "-p", patch]);
      }
      await kubectl.run(["delete", "crd", "ippolicies.ingress.k8s.ngrok.com", "--timeout=150s"]);
    },
  }),
  defineScenario({
    name: "crd-terminating",
    sentence: "Somebody deletes one of our CRDs, and then uninstalls while it hangs in termination (F1)",
    values: unguarded,
    crdsLeft: 6,
    keepFalse: true,
    before: async ({ kubectl }) => {
      await kubectl.run(["delete", "crd", "domains.ingress.k8s.ngrok.com", "--wait=false"]);
    },
  }),
  defineScenario({
    name: "crds-deleted",
    sentence:
      "Somebody deletes all of our CRDs under a living operator: that is nobody's wish to clean up at ngrok, whatever the policy (F1)",
    values: unguarded,
    crdsLeft: 0,
    keepFalse: true,
    before: async ({ kubectl }) => {
      const crds = (await kubectl.run(["get", "crds", "-o", "name"])).split("\n");
      const ours = crds.filter((name) => name.endsWith(".k8s.ngrok.com"));
      assert.equal(ours.length, 7);
      await kubectl.run(["delete", ...ours, "--timeout=150s"]);
    },
    after: async ({ ngrok, run }) => {
      const gone = ngrok.ledger
        .entries()
        .filter(
          ({ method, path, changed }) => method === "DELETE" && changed && !path.startsWith("/kubernetes_operators/"),
        );
      assert.deepEqual(
        gone.map(({ path }) => path),
        [],
        `deleted at ngrok under ${run.policy}`,
      );
      await Promise.resolve();
    },
  }),
  defineScenario({
    name: "clocks-an-hour-apart",
    sentence: "The Lease of a dead leader says that it was renewed an hour from now, or an hour ago (F5)",
    before: async (act) => {
      await scaleToZero(act);
      const hours = act.run.policy === "Retain" ? 1 : -1;
      const renewTime = new Date(Date.now() + hours * 3_600_000).toISOString().replace("Z", "000Z");
      const holderIdentity = `pod/${FULLNAME}-manager-0/00000000-0000-0000-0000-00000000dead`;
      const patch = JSON.stringify({ spec: { holderIdentity, renewTime } });
      await act.kubectl.run(["patch", "lease", ...act.at, `${FULLNAME}-leader`, "--type=merge", "-p", patch]);
    },
  }),
  defineScenario({
    name: "programs-two-hours-apart",
    sentence:
      "The clocks of the hooks are an hour ahead of the API server's, those of the operator's pods an hour behind (F5)",
    values: { "extraEnv.NODE_OPTIONS": `--import=data:text/javascript;base64\\,${SKEW}` },
    after: async ({ audit, run }) => {
      const renewed = (await audit()).flatMap(({ objectRef, requestObject, requestReceivedTimestamp }) => {
        const { renewTime } = (requestObject as { spec?: { renewTime?: string } } | undefined)?.spec ?? {};
        if (objectRef?.name !== `${FULLNAME}-leader` || renewTime === undefined) return [];
        return [Math.round((Date.parse(renewTime) - Date.parse(requestReceivedTimestamp)) / 3_600_000)];
      });
      assert.deepEqual(
        [...new Set(renewed)].toSorted((a, b) => a - b),
        [-1, 1],
        `both clocks were wrong under ${run.policy}`,
      );
    },
  }),
  defineScenario({
    name: "stale-watch-cache",
    sentence: "A new leader starts in mid-drain and gets the unmarked state from every cache (F4)",
    before: async (act) => {
      act.proxy.add({
        kind: "stale",
        match: { caller: "manager", path: /configmaps|kubernetesoperators/ },
        times: ALWAYS,
      });
      await Promise.resolve();
    },
    during: async (act) => {
      const hold = act.proxy.add({ kind: "hold", match: { ...DRAIN, method: "PATCH", path: /cloudendpoints/ } });
      await hold.hit;
      await act.kubectl.run(["rollout", "restart", ...act.at, manager]);
      await act.kubectl
        .run(["rollout", "status", ...act.at, manager, "--timeout=20s"], { timeout: 30_000 })
        .catch(() => {
          // Not ready is what it has to be while it cannot read an open state.
        });
      hold.release();
    },
    after: async (act) => {
      const claims = writes(await act.audit()).filter((event) => {
        const text = JSON.stringify(event.requestObject ?? "");
        return podOf(event)?.includes("-manager-") === true && /"op":"add"[^}]*finalizers/.test(text);
      });
      assert.deepEqual(claims, [], `a pod of ${RELEASE} added a finalizer after the mark`);
    },
  }),
];
