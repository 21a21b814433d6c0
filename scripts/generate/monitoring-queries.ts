// What is watched of an install: the alerts and the panels of the dashboard, each a query over metrics that the programs
// expose (operator/runtime/metrics.ts). SELECT stands for the labels by which an install is chosen.

export const SELECT = "SELECT";

export interface Alert {
  readonly name: string;
  readonly query: string;
  /** How long it has to be so, as Prometheus writes it. */
  readonly for: string;
  readonly severity: "warning" | "critical";
  readonly summary: string;
  /** What it means and what to do; `$labels.x` in double braces is what the query found. */
  readonly description: string;
}

export interface Panel {
  readonly title: string;
  readonly query: string;
  /** How a line is called; a label's name in double braces. */
  readonly legend: string;
  readonly unit: "short" | "ops" | "s" | "bytes";
}

export const alerts: readonly Alert[] = [
  {
    name: "NgrokOperatorUninstallNotReady",
    query: `max by (namespace, reason) (ngrok_operator_uninstall_ready{SELECT}) == 0`,
    for: "15m",
    severity: "warning",
    summary: "helm uninstall would not come to its end",
    description:
      "Something is in the way of an uninstall: {{ $labels.reason }}. ngrok-drain plan in the api-manager's pod names it and the remedy.",
  },
  {
    name: "NgrokOperatorDrainStandsStill",
    query: `max by (namespace) (ngrok_operator_drain_phase{SELECT,phase="Draining"}) == 1 unless sum by (namespace) (changes(ngrok_operator_drain_objects{SELECT,outcome="drained"}[10m])) > 0`,
    for: "10m",
    severity: "critical",
    summary: "a drain is marked, and nothing is freed",
    description:
      "Whoever drives it, the api-manager or a hook, has shown no freed object for ten minutes: it waits, or cannot show it. ngrok-drain status in the api-manager's pod says who drains and what it waits for; a hook says so in its log.",
  },
  {
    name: "NgrokOperatorDrainFailures",
    query: `max by (namespace) (ngrok_operator_drain_objects{SELECT,outcome="failed"}) > 0`,
    for: "5m",
    severity: "warning",
    summary: "a drain could not free some objects",
    description: "The conditions of the KubernetesOperator name an object, the reason and the remedy.",
  },
  {
    name: "NgrokOperatorNoLeader",
    // A hook that drains holds the Lease, and nobody does once all is drained.
    query: `(sum(leader_election_master_status{SELECT}) or vector(0)) == 0 unless max(ngrok_operator_drain_phase{SELECT,phase=~"Draining|Drained"}) == 1`,
    for: "5m",
    severity: "critical",
    summary: "no api-manager holds the Lease",
    description: "Nothing is reconciled. Look at the pods of the api-manager and at the Lease of the release.",
  },
  {
    name: "NgrokOperatorReconcileErrors",
    query: `sum by (namespace, controller) (rate(controller_runtime_reconcile_errors_total{SELECT}[10m])) > 0.1`,
    for: "15m",
    severity: "warning",
    summary: "a controller keeps failing",
    description:
      "Controller {{ $labels.controller }} fails again and again: events and conditions of its objects say why.",
  },
  {
    name: "NgrokOperatorWorkQueueGrows",
    query: `max by (namespace, name) (workqueue_depth{SELECT}) > 100`,
    for: "15m",
    severity: "warning",
    summary: "a work queue does not empty",
    description: "Queue {{ $labels.name }} holds over 100 keys: ngrok's limit on calls, or an API server that is slow.",
  },
  {
    name: "NgrokOperatorCallsFail",
    query: `sum by (namespace, host) (rate(rest_client_requests_total{SELECT,code=~"5..|<error>"}[10m])) > 0.1`,
    for: "15m",
    severity: "warning",
    summary: "calls fail",
    description: "Calls to {{ $labels.host }} end without an answer or with a server's error.",
  },
  {
    name: "NgrokOperatorWatchFails",
    query: `max by (namespace, pod, kind) (ngrok_operator_watch_failing{SELECT}) == 1`,
    for: "5m",
    severity: "warning",
    summary: "a pod does not see what changes",
    description:
      "Pod {{ $labels.pod }} cannot watch {{ $labels.kind }}: what is made, changed or deleted is not seen, and what it served it serves on. Its log says why: often a rule of its Role or ClusterRole is gone, which helm upgrade brings back.",
  },
  {
    name: "NgrokOperatorAgentSessionDown",
    query: `min by (namespace, pod) (ngrok_operator_agent_session{SELECT}) == 0`,
    for: "5m",
    severity: "critical",
    summary: "an agent has no session with ngrok",
    description: "Pod {{ $labels.pod }} serves no endpoint: its /readyz and its log say why.",
  },
  {
    name: "NgrokOperatorConnectionsRefused",
    query: `sum by (namespace) (rate(ngrok_operator_bound_connections_total{SELECT,result="refused"}[5m])) > 0`,
    for: "5m",
    severity: "warning",
    summary: "the forwarders turn connections away",
    description: "They have as many connections as they take. Give bindings.forwarder more replicas.",
  },
];

export const panels: readonly Panel[] = [
  {
    title: "Uninstall ready (1 yes, 0 no, -1 not known)",
    query: `max by (reason) (ngrok_operator_uninstall_ready{SELECT})`,
    legend: "{{reason}}",
    unit: "short",
  },
  {
    title: "Drain phase",
    query: `max by (phase) (ngrok_operator_drain_phase{SELECT})`,
    legend: "{{phase}}",
    unit: "short",
  },
  {
    title: "Objects of a drain",
    query: `max by (outcome) (ngrok_operator_drain_objects{SELECT})`,
    legend: "{{outcome}}",
    unit: "short",
  },
  {
    title: "Leaders",
    query: `sum by (pod) (leader_election_master_status{SELECT})`,
    legend: "{{pod}}",
    unit: "short",
  },
  {
    title: "Reconciliations",
    query: `sum by (controller, result) (rate(controller_runtime_reconcile_total{SELECT}[5m]))`,
    legend: "{{controller}} {{result}}",
    unit: "ops",
  },
  {
    title: "Time of a reconciliation, 99 of 100",
    query: `histogram_quantile(0.99, sum by (controller, le) (rate(controller_runtime_reconcile_time_seconds_bucket{SELECT}[5m])))`,
    legend: "{{controller}}",
    unit: "s",
  },
  {
    title: "Keys that wait",
    query: `sum by (name) (workqueue_depth{SELECT})`,
    legend: "{{name}}",
    unit: "short",
  },
  {
    title: "Calls",
    query: `sum by (host, code) (rate(rest_client_requests_total{SELECT}[5m]))`,
    legend: "{{host}} {{code}}",
    unit: "ops",
  },
  {
    title: "Agents' sessions with ngrok (1 up, 0 down)",
    query: `min by (pod) (ngrok_operator_agent_session{SELECT})`,
    legend: "{{pod}}",
    unit: "short",
  },
  {
    title: "Bound connections",
    query: `sum by (pod) (ngrok_operator_bound_connections{SELECT})`,
    legend: "{{pod}}",
    unit: "short",
  },
  {
    title: "Bound connections, by result",
    query: `sum by (result) (rate(ngrok_operator_bound_connections_total{SELECT}[5m]))`,
    legend: "{{result}}",
    unit: "ops",
  },
  {
    title: "Memory",
    query: `sum by (pod) (process_resident_memory_bytes{SELECT})`,
    legend: "{{pod}}",
    unit: "bytes",
  },
];
