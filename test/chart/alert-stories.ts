// What the alerts of the chart are for, as stories of metrics over time: when each must fire, and when it must not. A line is a
// metric and its values, one a minute, as promtool writes them: `0+1x9` counts up, `3x9` stays.

export interface AlertStory {
  readonly alert: string;
  readonly what: string;
  readonly lines: readonly (readonly [metric: string, values: string])[];
  /** Minutes after which the alert is looked at. */
  readonly minutes: number;
  /** The labels with which it fires then, besides its severity; undefined where it must be silent. */
  readonly fires?: Readonly<Record<string, string>>;
}

/** Of the release that the rules were rendered for. */
const ours = (metric: string, labels = "", pod = "edge-ngrok-operator-manager-1"): string =>
  `${metric}{namespace="ngrok",pod="${pod}"${labels === "" ? "" : `,${labels}`}}`;
const ready = (reason: string): string => ours("ngrok_operator_uninstall_ready", `reason="${reason}"`);
const phase = (now: string): string => ours("ngrok_operator_drain_phase", `phase="${now}"`);
const objects = (outcome: string): string => ours("ngrok_operator_drain_objects", `outcome="${outcome}"`);
const leads = ours("leader_election_master_status", `name="edge-ngrok-operator-leader"`);
const errors = ours("controller_runtime_reconcile_errors_total", `controller="domain"`);
const depth = ours("workqueue_depth", `name="domain"`);
const calls = (code: string): string => ours("rest_client_requests_total", `code="${code}",host="ngrok",method="GET"`);
const AGENT = "edge-ngrok-operator-agent-1";
const session = ours("ngrok_operator_agent_session", "", AGENT);
const watch = (kind: string): string => ours("ngrok_operator_watch_failing", `kind="${kind}"`, AGENT);
const bound = (result: string): string =>
  ours("ngrok_operator_bound_connections_total", `result="${result}"`, "edge-ngrok-operator-bindings-forwarder-1");

const ngrok = { namespace: "ngrok" };

export const alertStories: readonly AlertStory[] = [
  {
    alert: "NgrokOperatorUninstallNotReady",
    what: "something is in the way for 20 minutes",
    lines: [[ready("KeyRefused"), "0x30"]],
    minutes: 20,
    fires: { ...ngrok, reason: "KeyRefused" },
  },
  {
    alert: "NgrokOperatorUninstallNotReady",
    what: "for ten minutes, and then no more",
    lines: [
      [ready("KeyRefused"), "0x10 _x20"],
      [ready("NothingInTheWay"), "_x10 1x20"],
    ],
    minutes: 20,
  },
  {
    alert: "NgrokOperatorUninstallNotReady",
    what: "nobody knows",
    lines: [[ready("KeyUnknown"), "-1x30"]],
    minutes: 20,
  },
  {
    alert: "NgrokOperatorUninstallNotReady",
    what: "another release is not ready, nor one in another namespace",
    lines: [
      [ours("ngrok_operator_uninstall_ready", `reason="HookOff"`, "west-ngrok-operator-manager-1"), "0x30"],
      [
        `ngrok_operator_uninstall_ready{namespace="other",pod="edge-ngrok-operator-manager-1",reason="HookOff"}`,
        "0x30",
      ],
    ],
    minutes: 20,
  },
  {
    alert: "NgrokOperatorDrainStandsStill",
    what: "a drain has freed three objects and no more",
    lines: [
      [phase("Draining"), "1x40"],
      [objects("drained"), "0 1 2 3x40"],
    ],
    minutes: 25,
    fires: ngrok,
  },
  {
    alert: "NgrokOperatorDrainStandsStill",
    what: "a drain has shown nothing at all",
    lines: [[phase("Draining"), "1x40"]],
    minutes: 25,
    fires: ngrok,
  },
  {
    alert: "NgrokOperatorDrainStandsStill",
    what: "a drain works for 40 minutes, whoever drives it",
    lines: [
      [phase("Draining"), "1x40"],
      [objects("drained"), "0+5x40"],
    ],
    minutes: 39,
  },
  {
    alert: "NgrokOperatorDrainStandsStill",
    what: "a drain frees one object each eight minutes",
    lines: [
      [phase("Draining"), "1x40"],
      [objects("drained"), "0x7 1x7 2x7 3x7 4x7"],
    ],
    minutes: 39,
  },
  {
    alert: "NgrokOperatorDrainStandsStill",
    what: "there is no drain",
    lines: [
      [phase("Open"), "1x40"],
      [phase("Draining"), "0x40"],
      [objects("drained"), "9x40"],
    ],
    minutes: 39,
  },
  {
    alert: "NgrokOperatorDrainFailures",
    what: "an object cannot be freed",
    lines: [[objects("failed"), "0 1x20"]],
    minutes: 8,
    fires: ngrok,
  },
  {
    alert: "NgrokOperatorDrainFailures",
    what: "an object could be freed at the second try",
    lines: [[objects("failed"), "0 1 1 0x20"]],
    minutes: 8,
  },
  {
    alert: "NgrokOperatorNoLeader",
    what: "pods run, and none leads",
    lines: [[leads, "0x20"]],
    minutes: 10,
    fires: {},
  },
  { alert: "NgrokOperatorNoLeader", what: "no pod runs", lines: [], minutes: 10, fires: {} },
  {
    alert: "NgrokOperatorNoLeader",
    what: "another release's pod leads",
    lines: [[ours("leader_election_master_status", "", "west-ngrok-operator-manager-1"), "1x20"]],
    minutes: 10,
    fires: {},
  },
  {
    alert: "NgrokOperatorNoLeader",
    what: "one pod leads and one does not",
    lines: [
      [leads, "1x20"],
      [ours("leader_election_master_status", "", "edge-ngrok-operator-manager-2"), "0x20"],
    ],
    minutes: 10,
  },
  {
    alert: "NgrokOperatorNoLeader",
    what: "a hook holds the Lease",
    lines: [
      [leads, "0x20"],
      [phase("Draining"), "1x20"],
    ],
    minutes: 10,
  },
  {
    alert: "NgrokOperatorReconcileErrors",
    what: "a controller fails each six seconds",
    lines: [[errors, "0+10x40"]],
    minutes: 30,
    fires: { ...ngrok, controller: "domain" },
  },
  {
    alert: "NgrokOperatorReconcileErrors",
    what: "a controller fails once a minute",
    lines: [[errors, "0+1x40"]],
    minutes: 30,
  },
  {
    alert: "NgrokOperatorWorkQueueGrows",
    what: "150 keys wait, and wait",
    lines: [[depth, "150x30"]],
    minutes: 20,
    fires: { ...ngrok, name: "domain" },
  },
  {
    alert: "NgrokOperatorWorkQueueGrows",
    what: "150 keys were worked off",
    lines: [[depth, "150x10 0x20"]],
    minutes: 20,
  },
  ...["503", "<error>"].map((code) => ({
    alert: "NgrokOperatorCallsFail",
    what: `calls end with ${code}`,
    lines: [[calls(code), "0+10x40"]] as const,
    minutes: 30,
    fires: { ...ngrok, host: "ngrok" },
  })),
  {
    alert: "NgrokOperatorCallsFail",
    what: "calls end with 404 and 200",
    lines: [
      [calls("404"), "0+60x40"],
      [calls("200"), "0+60x40"],
    ],
    minutes: 30,
  },
  {
    alert: "NgrokOperatorWatchFails",
    what: "a rule of an agent's ClusterRole is gone",
    lines: [
      [watch("agentendpoints.ngrok.k8s.ngrok.com"), "0 1x20"],
      [watch("drain state"), "0x20"],
    ],
    minutes: 10,
    fires: { ...ngrok, pod: AGENT, kind: "agentendpoints.ngrok.k8s.ngrok.com" },
  },
  {
    alert: "NgrokOperatorWatchFails",
    what: "an API server was away for four minutes",
    lines: [[watch("agentendpoints.ngrok.k8s.ngrok.com"), "0 1x3 0x20"]],
    minutes: 8,
  },
  {
    alert: "NgrokOperatorAgentSessionDown",
    what: "an agent is without a session, and its neighbour is not",
    lines: [
      [session, "0x20"],
      [ours("ngrok_operator_agent_session", "", "edge-ngrok-operator-agent-2"), "1x20"],
    ],
    minutes: 10,
    fires: { ...ngrok, pod: AGENT },
  },
  {
    alert: "NgrokOperatorAgentSessionDown",
    what: "an agent comes back within three minutes",
    lines: [[session, "1x5 0 0 0 1x10"]],
    minutes: 12,
  },
  {
    alert: "NgrokOperatorConnectionsRefused",
    what: "connections are turned away, again and again",
    lines: [[bound("refused"), "0+1x20"]],
    minutes: 10,
    fires: ngrok,
  },
  {
    alert: "NgrokOperatorConnectionsRefused",
    what: "connections are served",
    lines: [
      [bound("served"), "0+50x20"],
      [bound("refused"), "3x20"],
    ],
    minutes: 10,
  },
];
