// What a person may get wrong in values, as `--set` takes it, and the words of Helm that name the field and the remedy.

/** Types, choices, names: refused before any template is read. */
export const REFUSED_BY_SCHEMA = [
  { set: "drainPolicy=Purge", says: "at '/drainPolicy': value must be one of 'Retain', 'Delete'" },
  { set: "drainPolicy=Keep", says: "at '/drainPolicy': value must be one of 'Retain', 'Delete'" },
  { set: "drainPolicy=retain", says: "at '/drainPolicy': value must be one of 'Retain', 'Delete'" },
  { set: "drainPolicy=", says: "at '/drainPolicy': value must be one of 'Retain', 'Delete'" },
  { set: "drainPolicy=null", says: "missing property 'drainPolicy'" },
  { set: "drainPolcy=Delete", says: "additional properties 'drainPolcy' not allowed" },
  { set: "drianPolicy=Delete", says: "additional properties 'drianPolicy' not allowed" },
  { set: "drainpolicy=Delete", says: "at '/drainpolicy': value must be 'spelled drainPolicy'" },
  { set: "installCrds=false", says: "at '/installCrds': value must be 'spelled installCRDs'" },
  { set: "imagePullSecrets=x", says: "at '/imagePullSecrets': value must be 'spelled image.pullSecrets'" },
  { set: "networkPolicies=true", says: "at '/networkPolicies': value must be 'spelled networkPolicy'" },
  { set: "apiUrl=http://x", says: "at '/apiUrl': value must be 'spelled apiURL'" },
  { set: "crds.enabled=true", says: "at '/crds/enabled': value must be 'spelled installCRDs'" },
  { set: "crds.kep=false", says: "at '/crds': additional properties 'kep' not allowed" },
  { set: "crds.keep=null", says: "at '/crds': missing property 'keep'" },
  { set: "cleanupHook.timeout=-1", says: "at '/cleanupHook/timeout': minimum: got -1, want 30" },
  { set: "cleanupHook.timeout=5", says: "at '/cleanupHook/timeout': minimum: got 5, want 30" },
  { set: "replicaCount=two", says: "at '/replicaCount': got string, want integer" },
  { set: "agent.replicaCount=-1", says: "at '/agent/replicaCount': minimum: got -1, want 0" },
  { set: "image.tag=20261128", says: "at '/image/tag': got number, want string" },
  { set: "defaultDomainReclaimPolicy=Keep", says: "at '/defaultDomainReclaimPolicy': value must be one of" },
  { set: "log.level=trace", says: "at '/log/level': 'trace' does not match pattern '^(debug|info|" },
  { set: "ingress.controllerName=no slash", says: "at '/ingress/controllerName'" },
  { set: "gateway.controllerName=ngrok", says: "at '/gateway/controllerName'" },
  { set: "ngrokApi.callsPerMinute=-1", says: "at '/ngrokApi/callsPerMinute': minimum: got -1, want 0" },
  { set: "apiURL=api.ngrok.com", says: "at '/apiURL': 'api.ngrok.com' does not match pattern '^(https?://" },
  {
    set: "proxy.httpsProxy=proxy:3128",
    says: "at '/proxy/httpsProxy': 'proxy:3128' does not match pattern '^(https?://",
  },
  { set: "extraEnv.A.value=x", says: "at '/extraEnv/A'" },
] as const;

interface RefusedByChecks {
  readonly set?: readonly string[];
  readonly json?: readonly string[];
  /** The whole text, without the lines that stand around it. */
  readonly says: string;
}

const SHA = `sha256:${"a".repeat(64)}`;
const ROOT = "the hooks would be refused under the pod security level restricted\n  remedy: remove it";

/** Values that are each good and together wrong, and those of the schema once more for who skips it. */
export const REFUSED_BY_CHECKS: readonly RefusedByChecks[] = [
  { json: ['crds.keep="false"'], says: textFor("crds.keep", "false", "crds.keep=false") },
  { json: ['rbac.cluster="no"'], says: textFor("rbac.cluster", "no", "rbac.cluster=true or false") },
  { set: ["drainPolicy=Keep"], says: 'drainPolicy "Keep": no such policy\n  remedy: Retain or Delete' },
  {
    set: ["defaultDomainReclaimPolicy=Keep"],
    says: 'defaultDomainReclaimPolicy "Keep": no such policy\n  remedy: Retain or Delete',
  },
  {
    set: ["cleanupHook.timeout=5"],
    says: "cleanupHook.timeout 5: leaves no time for a drain\n  remedy: 30 or more, in seconds, the same as the --timeout of helm uninstall",
  },
  {
    set: ["cleanupHook.enabled=false", "crds.keep=false"],
    says: "cleanupHook.enabled=false with crds.keep=false: the uninstall would hang on finalizers\n  remedy: crds.keep=true, or cleanupHook.enabled=true",
  },
  {
    set: ["image.tag=latest"],
    says: "image.tag latest: not reproducible, the image on uninstall day may be another one\n  remedy: a version or image.digest (or image.allowLatest=true)",
  },
  {
    set: ["image.tag=0.24.0"],
    says: "image.tag 0.24.0: an image of the Go operator, without the programs of this chart\n  remedy: take image.tag out of the values (docs/upgrading/from-go-0.24.md)",
  },
  {
    set: ["image.digest=sha256:abc"],
    says: 'image.digest "sha256:abc": no digest\n  remedy: sha256: and 64 hex digits',
  },
  {
    set: [`image.digest=${SHA}`, "cleanupHook.image.digest=abc"],
    says: 'cleanupHook.image.digest "abc": no digest\n  remedy: sha256: and 64 hex digits',
  },
  {
    set: ["credentials.authtoken=t"],
    says: "An ngrok API key is required: credentials.authtoken is set, credentials.apiKey is not; both or none\n  remedy: set credentials.apiKey, or name your own Secret by credentials.secret.name",
  },
  {
    set: ["credentials.apiKey=k"],
    says: "An ngrok Authtoken is required: credentials.apiKey is set, credentials.authtoken is not; both or none\n  remedy: set credentials.authtoken, or name your own Secret by credentials.secret.name",
  },
  {
    set: ["credentials.apiKey=k", "credentials.authtoken=t", "credentials.secret.name=mine"],
    says: "credentials.secret.name together with credentials.apiKey or authtoken: two sources\n  remedy: remove apiKey and authtoken where the Secret is yours, credentials.secret.name where this release makes it",
  },
  {
    set: ["rbac.cluster=false"],
    says: "rbac.cluster=false without ingress.watchNamespace: all namespaces cannot be watched without ClusterRoles\n  remedy: set ingress.watchNamespace, or rbac.cluster=true",
  },
  {
    set: ["rbac.cluster=false", "ingress.watchNamespace=a"],
    says: "rbac.cluster=false with installCRDs=true: CustomResourceDefinitions are objects of the cluster, and nobody here could see who else needs them\n  remedy: installCRDs=false, after somebody who may has installed them: helm template CHART --show-only 'templates/crds/*.yaml' | kubectl apply -f -",
  },
  {
    set: ["protect.enabled=true", "rbac.cluster=false", "ingress.watchNamespace=a"],
    says: "protect.enabled=true with rbac.cluster=false: the guard is an object of the cluster\n  remedy: protect.enabled=false, or rbac.cluster=true",
  },
  {
    set: ["ingress.watchNamespace=a", "bindings.enabled=true"],
    says: "ingress.watchNamespace=a with bindings.enabled=true: bindings live in the release namespace ngrok\n  remedy: install in a, or leave ingress.watchNamespace empty",
  },
  {
    set: ["replicaCount=0"],
    says: "replicaCount=0: a stopped operator cannot drain\n  remedy: 1 or more; to stop it for a while, scale the Deployment, not the chart",
  },
  { set: ["podSecurityContext.runAsUser=0"], says: `podSecurityContext.runAsUser=0: ${ROOT}` },
  { set: ["containerSecurityContext.runAsUser=0"], says: `containerSecurityContext.runAsUser=0: ${ROOT}` },
  { set: ["containerSecurityContext.privileged=true"], says: `containerSecurityContext.privileged=true: ${ROOT}` },
  {
    set: ["containerSecurityContext.allowPrivilegeEscalation=true"],
    says: `containerSecurityContext.allowPrivilegeEscalation=true: ${ROOT}`,
  },
  {
    json: ['podLabels={"app.kubernetes.io/name":"other"}'],
    says: "podLabels or commonLabels app.kubernetes.io/name: the Deployment finds its pods by it\n  remedy: another label",
  },
  {
    set: [
      "podDisruptionBudget.create=true",
      "podDisruptionBudget.minAvailable=1",
      "podDisruptionBudget.maxUnavailable=2",
    ],
    says: "podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable: Kubernetes takes one\n  remedy: set podDisruptionBudget.maxUnavailable=null, or leave minAvailable out",
  },
  {
    set: ["extraCA.secretName=a", "extraCA.configMapName=b"],
    says: "extraCA.secretName and extraCA.configMapName: one certificate authority, two places\n  remedy: leave one of them empty",
  },
  {
    set: ["extraEnv.POD_NAMESPACE=x"],
    says: "extraEnv POD_NAMESPACE: set by the chart\n  remedy: another name, or the value of the chart that stands for it",
  },
  {
    set: ["extraEnv.NO_PROXY=a", "proxy.noProxy=b"],
    says: "extraEnv NO_PROXY and proxy.noProxy: one variable, two places\n  remedy: leave one of them out",
  },
  {
    set: ["metrics.podMonitor.enabled=true", "metrics.serviceMonitor.enabled=true"],
    says: "metrics.podMonitor.enabled=true with metrics.serviceMonitor.enabled=true: every pod would be read twice, and every sum be double\n  remedy: one of them",
  },
  {
    json: ['ngrokMetadata={"a":"1,b=2"}'],
    says: 'ngrokMetadata "a": a comma, or = in a key, has another meaning in the flag that it becomes\n  remedy: another text',
  },
];

function textFor(name: string, value: string, remedy: string): string {
  return `${name} "${value}": a text, which is neither true nor false\n  remedy: ${remedy} without quotes`;
}
