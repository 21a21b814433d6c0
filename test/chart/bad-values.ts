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
  { set: "image.registry=https://registry.example", says: "at '/image/registry': 'https://registry.example' does not" },
  { set: "global.imageRegistry=mirror.local/", says: "at '/global/imageRegistry': 'mirror.local/' does not match" },
  { set: "image.repository=Team/Operator", says: "at '/image/repository': 'Team/Operator' does not match" },
  { set: "image.tag=v1+2", says: "at '/image/tag': 'v1+2' does not match" },
  { set: "credentials.secret.name=My Secret", says: "at '/credentials/secret/name': 'My Secret' does not match" },
  { set: "credentials.apiKey=my key", says: "at '/credentials/apiKey': 'my key' does not match" },
  { set: "serverAddr=https://connect.example", says: "at '/serverAddr': 'https://connect.example' does not match" },
  { set: "priorityClassName=High", says: "at '/priorityClassName': 'High' does not match" },
  { set: "metrics.rules.namespace=a.b", says: "at '/metrics/rules/namespace': 'a.b' does not match" },
  { set: "resources.limits.memory=256MB", says: "'256MB' does not match" },
  { set: "replicaCount=2000", says: "at '/replicaCount': maximum: got 2,000, want 1,000" },
  { set: "terminationGracePeriodSeconds=100000", says: "at '/terminationGracePeriodSeconds': maximum: got 100,000" },
  { set: "commonLabels.team=the edge", says: "'the edge' does not match" },
  { set: "nodeSelector.-pool=edge", says: "at '/nodeSelector': additional properties '-pool' not allowed" },
  { set: "extraEnv.1A=x", says: "at '/extraEnv': additional properties '1A' not allowed" },
  { set: "extraEnv.A.value=x", says: "at '/extraEnv/A'" },
] as const;

interface RefusedByChecks {
  readonly set?: readonly string[];
  readonly json?: readonly string[];
  /** The whole text, without the lines that stand around it. */
  readonly says: string;
}

const SHA = `sha256:${"a".repeat(64)}`;
const ROOT = "hooks would be refused under restricted\n  remedy: remove it";

/** Values that are each good and together wrong, and those of the schema once more for who skips it. */
export const REFUSED_BY_CHECKS: readonly RefusedByChecks[] = [
  { json: ['crds.keep="false"'], says: textFor("crds.keep", "false", "crds.keep=false") },
  { json: ['rbac.cluster="no"'], says: textFor("rbac.cluster", "no", "rbac.cluster=true or false") },
  { set: ["drainPolicy=Keep"], says: 'drainPolicy "Keep":\n  remedy: Retain or Delete' },
  {
    set: ["defaultDomainReclaimPolicy=Keep"],
    says: 'defaultDomainReclaimPolicy "Keep":\n  remedy: Retain or Delete',
  },
  {
    set: ["agent.updateStrategy.type=Recreate", "agent.updateStrategy.rollingUpdate.maxSurge=0"],
    says: "agent.updateStrategy: Kubernetes refuses rollingUpdate beside type Recreate\n  remedy: agent.updateStrategy.rollingUpdate=null",
  },
  {
    set: ["cleanupHook.timeout=5"],
    says: "cleanupHook.timeout 5: leaves no time for a drain\n  remedy: 30 or more, in seconds, the same as the --timeout of helm uninstall",
  },
  {
    set: ["cleanupHook.enabled=false", "crds.keep=false"],
    says: "cleanupHook.enabled=false with crds.keep=false: uninstall would hang on finalizers\n  remedy: crds.keep=true or cleanupHook.enabled=true",
  },
  {
    set: ["gitops.argocd=true", "serviceAccount.annotations.argocd\\.argoproj\\.io/sync-wave=5"],
    says: "serviceAccount.annotations argocd.argoproj.io/sync-wave 5: Argo CD deletes the highest wave first, and with it what the drain needs: the KubernetesOperator is in wave 1\n  remedy: leave it out, or 0 or less",
  },
  {
    set: ["image.tag=latest"],
    says: "image.tag latest: may be another image on uninstall day, not reproducible\n  remedy: a version or image.digest (or image.allowLatest=true)",
  },
  {
    set: ["cleanupHook.image.repository=registry.corp/tools/kube-cli", "cleanupHook.image.tag=latest"],
    says: "cleanupHook.image.tag latest: may be another image on uninstall day, not reproducible\n  remedy: a version or cleanupHook.image.digest (or image.allowLatest=true)",
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
    says: "An ngrok API key is required: credentials.authtoken is set, credentials.apiKey is not; both or none\n  remedy: credentials.secret.name, a Secret of your own; or set credentials.apiKey",
  },
  {
    set: ["credentials.apiKey=k"],
    says: "An ngrok Authtoken is required: credentials.apiKey is set, credentials.authtoken is not; both or none\n  remedy: credentials.secret.name, a Secret of your own; or set credentials.authtoken",
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
    says: "ingress.watchNamespace=a with bindings.enabled=true in ngrok: bindings live in the release namespace\n  remedy: install in a, or leave ingress.watchNamespace empty",
  },
  {
    set: ["replicaCount=0"],
    says: "replicaCount=0: a stopped operator cannot drain; scale the Deployment, not the chart\n  remedy: 1 or more",
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
    says: "podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable: Kubernetes takes one\n  remedy: set maxUnavailable=null (--set podDisruptionBudget.maxUnavailable=null), or leave minAvailable out",
  },
  {
    set: ["extraCA.secretName=a", "extraCA.configMapName=b"],
    says: "extraCA.secretName and extraCA.configMapName: one certificate authority, two places\n  remedy: leave one of them empty",
  },
  {
    set: [
      "extraCA.secretName=a",
      "extraVolumeMounts[0].name=ca",
      "extraVolumeMounts[0].mountPath=/etc/ssl/certs/ngrok/",
    ],
    says: "extraCA with extraVolumeMounts ca: both are mounted at /etc/ssl/certs/ngrok, which Kubernetes refuses\n  remedy: remove it from extraVolumeMounts and extraVolumes, or extraCA.secretName and extraCA.configMapName",
  },
  {
    set: ["extraEnv.POD_NAMESPACE=x"],
    says: "extraEnv POD_NAMESPACE: set by the chart\n  remedy: rename it, or set the value of the chart that stands for it",
  },
  {
    set: ["extraEnv.NO_PROXY=a", "proxy.noProxy=b"],
    says: "extraEnv NO_PROXY and proxy.noProxy: one variable, two places\n  remedy: leave one of them out",
  },
  {
    set: ["apiURL=https://api.example.com:99999/v1"],
    says: 'apiURL "https://api.example.com:99999/v1": no such port\n  remedy: a port from 1 to 65535',
  },
  { set: ["serverAddr=[::1]:0"], says: 'serverAddr "[::1]:0": no such port\n  remedy: a port from 1 to 65535' },
  {
    set: ["networkPolicy.apiServer.cidr=10.0.0.256/32"],
    says: 'networkPolicy.apiServer.cidr "10.0.0.256/32": no block of addresses\n  remedy: as 10.0.0.1/32 or fd00::1/128',
  },
  {
    set: ["networkPolicy.apiServer.cidr=fd00::1/129"],
    says: 'networkPolicy.apiServer.cidr "fd00::1/129": no block of addresses\n  remedy: as 10.0.0.1/32 or fd00::1/128',
  },
  {
    set: ["metrics.podMonitor.enabled=true", "metrics.serviceMonitor.enabled=true"],
    says: "metrics.podMonitor.enabled=true with metrics.serviceMonitor.enabled=true: every pod would be read twice, and every sum be double\n  remedy: one of them",
  },
  {
    json: ['ngrokMetadata={"a":"1,b=2"}'],
    says: 'ngrokMetadata "a": a comma, or an empty key or = in one, has another meaning in the flag that it becomes\n  remedy: another text',
  },
  {
    json: ['ngrokMetadata={"":"1"}'],
    says: 'ngrokMetadata "": a comma, or an empty key or = in one, has another meaning in the flag that it becomes\n  remedy: another text',
  },
  {
    json: ['commonAnnotations={"helm.sh/resource-policy":"keep"}'],
    says: "commonAnnotations helm.sh/resource-policy: tells Helm what to do with an object, and would hold for every one of this release\n  remedy: remove it",
  },
];

function textFor(name: string, value: string, remedy: string): string {
  return `${name} "${value}": a text, which is neither true nor false\n  remedy: ${remedy} without quotes`;
}
