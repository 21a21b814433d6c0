// The PrometheusRule and the dashboard of the chart, from the one list of queries (monitoring-queries.ts).
import { stringify } from "yaml";
import { banner, type GeneratedFile } from "./generated-file.ts";
import { type Alert, alerts, type Panel, panels, SELECT } from "./monitoring-queries.ts";

const FROM = "scripts/generate/monitoring-queries.ts";
/** Prometheus adds namespace and pod to what it reads of a pod. */
const OF_RELEASE = `namespace="{{ .Release.Namespace }}",pod=~"{{ include "ngrok-operator.fullname" . }}-.*"`;
const OF_DASHBOARD = `namespace=~"$namespace"`;

export function monitoringFiles(): readonly GeneratedFile[] {
  return [
    { path: "chart/templates/metrics/prometheusrule.yaml", text: banner(FROM) + ruleTemplate(alerts) },
    { path: "chart/files/dashboard.json", text: `${JSON.stringify(dashboard(panels), null, 2)}\n` },
  ];
}

function ruleTemplate(of: readonly Alert[]): string {
  const rules = of.map(({ name, query, for: long, severity, summary, description }) => ({
    alert: name,
    expr: forHelm(query).replaceAll(SELECT, OF_RELEASE),
    for: long,
    labels: { severity },
    annotations: { summary, description: forHelm(description) },
  }));
  const text = stringify(rules, { lineWidth: 0, defaultStringType: "PLAIN", blockQuote: "literal" });
  return `{{- $rules := (.Values.metrics).rules | default dict }}
{{- if $rules.enabled }}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ include "ngrok-operator.fullname" . | quote }}
  namespace: {{ $rules.namespace | default .Release.Namespace | quote }}
  labels:
    {{- include "ngrok-operator.labelsWith" (list . $rules.labels) | nindent 4 }}
  {{- with include "ngrok-operator.annotations" (list . dict) }}{{ . | nindent 2 }}{{ end }}
spec:
  groups:
    - name: ngrok-operator
      rules:
${text.replaceAll(/^(?=.)/gm, "        ").trimEnd()}
{{- end }}
`;
}

/** Braces that are Prometheus's, as Helm leaves them. */
function forHelm(text: string): string {
  return text.replaceAll(/\{\{([^}]*)\}\}/g, "{{ `{{$1}}` }}");
}

function dashboard(of: readonly Panel[]): object {
  const datasource = { type: "prometheus", uid: "${datasource}" };
  const variable = { hide: 0, multi: false, includeAll: false, refresh: 1 };
  return {
    title: "ngrok operator",
    uid: "ngrok-operator",
    tags: ["ngrok"],
    schemaVersion: 39,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    templating: {
      list: [
        { ...variable, name: "datasource", type: "datasource", query: "prometheus" },
        {
          ...variable,
          name: "namespace",
          type: "query",
          datasource,
          query: "label_values(leader_election_master_status, namespace)",
        },
      ],
    },
    panels: of.map(({ title, query, legend, unit }, index) => ({
      id: index + 1,
      title,
      type: "timeseries",
      datasource,
      gridPos: { x: (index % 2) * 12, y: Math.floor(index / 2) * 8, w: 12, h: 8 },
      fieldConfig: { defaults: { unit }, overrides: [] },
      targets: [{ refId: "A", datasource, expr: query.replaceAll(SELECT, OF_DASHBOARD), legendFormat: legend }],
    })),
  };
}
