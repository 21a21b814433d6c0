// ngrok's API on a bad day: slow, broken, refusing, or emptied by somebody else. Under Retain nothing of it may matter.
import { FULLNAME, RELEASE } from "#test/support/open-scene.ts";
import { defineScenario, type Act } from "../scenario.ts";

const DELETE = { method: "DELETE" } as const;
const ALWAYS = Number.POSITIVE_INFINITY;

/** What the output offers to who does not want to wait for ngrok: the policy becomes Retain. */
async function relax(act: Act): Promise<void> {
  await act.shell(act.printed(/or keep what is at ngrok: (kubectl .*?'data: \{policy: Retain\}')/));
}

async function allWell({ ngrok }: Act): Promise<void> {
  ngrok.faults.clear();
  await Promise.resolve();
}

export const ngrok = [
  defineScenario({
    name: "ngrok-429-storm",
    sentence: "ngrok answers one deletion after the other with 429 and asks to wait a second, until it recovers (E11)",
    before: async (act) => {
      act.ngrok.faults.add({ kind: "status", status: 429, retryAfter: 1, match: DELETE, times: 10 });
      await Promise.resolve();
    },
  }),
  defineScenario({
    name: "ngrok-asks-for-an-hour",
    sentence: "ngrok answers deletions with 429 and asks to wait an hour, longer than Helm ever waits (F13)",
    keepFalse: true,
    firstEnd: ({ policy }) =>
      policy === "Retain" ? "0" : [/asks to wait \d{4}s/, /nothing was let go without its ngrok resource/],
    before: async (act) => {
      act.ngrok.faults.add({ kind: "status", status: 429, retryAfter: 3600, match: DELETE, times: ALWAYS });
      await Promise.resolve();
    },
    remedy: allWell,
  }),
  defineScenario({
    name: "ngrok-5xx",
    sentence: "ngrok answers fifteen deletions in a row with 500 and 503 before it recovers (E10)",
    smoke: true,
    before: async (act) => {
      act.ngrok.faults.add({ kind: "status", status: 500, match: DELETE, times: 8 });
      act.ngrok.faults.add({ kind: "status", status: 503, match: DELETE, times: 7 });
      await Promise.resolve();
    },
  }),
  defineScenario({
    name: "ngrok-hangs",
    sentence: "ngrok takes every deletion and never answers, until it recovers after the first uninstall (E10)",
    helmTimeout: 90,
    firstEnd: ({ policy }) => (policy === "Retain" ? "0" : [/paused/, /no answer from/]),
    before: async (act) => {
      act.ngrok.faults.add({ kind: "hang", match: DELETE, times: ALWAYS });
      await Promise.resolve();
    },
    remedy: allWell,
  }),
  defineScenario({
    name: "ngrok-loses-answers",
    sentence: "ngrok does what it is asked to, but the connection breaks before each of ten answers",
    before: async (act) => {
      act.ngrok.faults.add({ kind: "reset", after: "commit", match: DELETE, times: 5 });
      act.ngrok.faults.add({ kind: "partial", match: DELETE, times: 5 });
      await Promise.resolve();
    },
  }),
  defineScenario({
    name: "ngrok-401-in-the-middle",
    sentence: "ngrok refuses the key with 401 from the middle of the drain on, until it is put right (E12, W4)",
    keepFalse: true,
    firstEnd: ({ policy }) => (policy === "Retain" ? "0" : [/blocked .*401|blocked .*key/i, /API_KEY|key/]),
    before: async (act) => {
      const skip = act.random.int(1, 25);
      act.ngrok.faults.add({ kind: "status", status: 401, code: 206, match: DELETE, skip, times: ALWAYS });
      await Promise.resolve();
    },
    remedy: allWell,
  }),
  defineScenario({
    name: "ngrok-403-for-deletions",
    sentence:
      "The key may do all but delete, which shows in mid-drain only; a person then types the printed relaxation (F15)",
    keepFalse: true,
    firstEnd: ({ policy }) => (policy === "Retain" ? "0" : [/blocked/, /or keep what is at ngrok: kubectl/]),
    before: async (act) => {
      act.ngrok.keys.allow("stand-in-key", "no-delete");
      await Promise.resolve();
    },
    remedy: relax,
  }),
  defineScenario({
    name: "key-revoked",
    sentence: "The key was revoked before the uninstall: Delete refuses before it changes anything, Retain goes on",
    keepFalse: true,
    smoke: true,
    firstEnd: ({ policy }) => (policy === "Retain" ? "0" : [/refused/, /Nothing was changed/, /API_KEY|key/]),
    before: async (act) => {
      act.ngrok.keys.revoke("stand-in-key");
      await Promise.resolve();
    },
    remedy: async (act) => {
      act.ngrok.keys.allow("stand-in-key", "all");
      await Promise.resolve();
    },
  }),
  defineScenario({
    name: "ngrok-unreachable",
    sentence: "No call reaches ngrok at all on the day of the uninstall, and later they do",
    firstEnd: ({ policy }) => (policy === "Retain" ? "0" : [/refused/, /Nothing was changed/]),
    before: async (act) => {
      act.ngrok.faults.add({ kind: "reset", times: ALWAYS });
      await Promise.resolve();
    },
    remedy: allWell,
  }),
  defineScenario({
    name: "gone-at-ngrok",
    sentence: "Somebody has deleted everything at ngrok in its dashboard before the uninstall (E9)",
    before: async ({ ngrok }) => {
      const headers = { authorization: "Bearer stand-in-key", "ngrok-version": "2" };
      for (const collection of ["endpoints", "reserved_domains", "ip_policies", "kubernetes_operators"]) {
        for (const { id } of ngrok.objects(collection))
          await fetch(`${ngrok.url}/${collection}/${String(id)}`, { method: "DELETE", headers });
      }
    },
  }),
  defineScenario({
    name: "secret-missing",
    sentence: "The credentials Secret is gone when the uninstall begins; the printed rollback brings it back (F10)",
    keepFalse: true,
    firstEnd: ({ policy }) => (policy === "Retain" ? "0" : [/refused .*no API key/, /Nothing was changed/]),
    before: async ({ kubectl, at }) => {
      await kubectl.run(["delete", "secret", ...at, `${FULLNAME}-credentials`]);
    },
    remedy: async (act) => {
      await act.shell(act.printed(/(helm rollback \S+ \d+ -n \S+)/));
      await act.kubectl.run(["wait", ...act.at, "--for=create", `secret/${FULLNAME}-credentials`, "--timeout=150s"]);
    },
  }),
  defineScenario({
    name: "secret-missing-relaxed",
    sentence: "The credentials Secret is gone for good: the printed relaxation to Retain ends the uninstall (F8, F15)",
    policies: ["Delete"],
    leftOut: "Under Retain no key is needed; secret-missing shows that",
    firstEnd: [/refused .*no API key/, /Nothing was changed/],
    before: async ({ kubectl, at }) => {
      await kubectl.run(["delete", "secret", ...at, `${FULLNAME}-credentials`]);
    },
    remedy: relax,
    after: async ({ kubectl, at }) => {
      await kubectl.run(["get", "kubernetesoperators", ...at, RELEASE]).then(
        () => {
          throw new Error("the KubernetesOperator is still there");
        },
        () => {},
      );
    },
  }),
];
