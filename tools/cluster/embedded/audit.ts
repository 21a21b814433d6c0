// What the API server writes down: every change with what was sent, so that a test can show who removed a finalizer
// and when; never what a Secret or a token holds.

/** The audit policy, as the file given to `--audit-policy-file` (JSON is YAML). */
export const AUDIT_POLICY = JSON.stringify({
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    // The cluster's own pulse: a third of all calls, and nobody asks.
    { level: "None", nonResourceURLs: ["/healthz*", "/readyz*", "/livez*", "/version", "/openapi*", "/metrics"] },
    // Which rights a ServiceAccount uses is asked of this log, so events of such accounts count; the cluster's own do not.
    {
      level: "Metadata",
      userGroups: ["system:serviceaccounts"],
      verbs: ["create", "patch"],
      resources: [{ group: "events.k8s.io", resources: ["events"] }],
    },
    {
      level: "None",
      resources: [
        { group: "", resources: ["events"] },
        { group: "events.k8s.io", resources: ["events"] },
      ],
    },
    { level: "None", namespaces: ["kube-node-lease"] },
    { level: "None", userGroups: ["system:nodes"], verbs: ["get", "list", "watch"] },
    {
      level: "None",
      users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"],
      verbs: ["get", "list", "watch"],
    },
    {
      level: "Metadata",
      resources: [
        { group: "", resources: ["secrets", "serviceaccounts/token"] },
        { group: "authentication.k8s.io", resources: ["*"] },
      ],
    },
    { level: "Request", verbs: ["create", "update", "patch", "delete", "deletecollection"] },
    { level: "Metadata" },
  ],
});
