{{- /* What a schema cannot say: values that are each good and together wrong. Every message has its remedy. The schema
       comes first, so what it refuses too is checked here only for `--skip-schema-validation`. */ -}}

{{- define "ngrok-operator.checks" -}}
{{- $found := list -}}
{{- range list "types" "drain" "crds" "gitops" "guard" "image" "credentials" "scope" "pods" "bindings" "monitors" "network" "flags" -}}
{{- with include (printf "ngrok-operator.checks.%s" .) $ | trim -}}{{- $found = append $found . -}}{{- end -}}
{{- end -}}
{{- if $found -}}
{{- fail (printf "\n\n%s\n" (join "\n" $found)) -}}
{{- end -}}
{{- end -}}

{{- /* Any text is true, "false" as well. */ -}}
{{- define "ngrok-operator.checks.types" -}}
{{- range $name := list "cleanupHook.enabled" "installCRDs" "crds.keep" "gitops.argocd" "oneClickDemoMode" "ingress.enabled" "ingress.ingressClass.create" "ingress.ingressClass.default" "gateway.enabled" "gateway.disableReferenceGrants" "bindings.enabled" "bindings.forwarder.serviceAccount.create" "agent.enabled" "agent.serviceAccount.create" "rbac.cluster" "serviceAccount.create" "crdAccessRoles.create" "image.allowLatest" "podDisruptionBudget.create" "networkPolicy.enabled" "protect.enabled" "metrics.serviceMonitor.enabled" "metrics.podMonitor.enabled" "metrics.rules.enabled" "metrics.dashboard.enabled" "ingressClass.create" "ingressClass.default" }}
{{- $value := $.Values }}
{{- range splitList "." $name }}{{ $value = get ($value | default dict) . }}{{ end }}
{{- if and (kindIs "string" $value) $value }}
{{ $name }} {{ $value | quote }}: a text, which is neither true nor false
  remedy: {{ $name }}={{ ternary $value "true or false" (has $value (list "true" "false")) }} without quotes
{{- end }}
{{- end }}
{{- end -}}

{{- /* Its name is ngrok's, and forwarders may read that one alone. A kind that the cluster has not yet cannot be looked up. */ -}}
{{- define "ngrok-operator.checks.bindings" -}}
{{- if and .Values.bindings.enabled .Values.rbac.cluster (.Capabilities.APIVersions.Has "ngrok.k8s.ngrok.com/v1alpha1/KubernetesOperator") }}
{{- range (lookup "ngrok.k8s.ngrok.com/v1alpha1" "KubernetesOperator" .Release.Namespace "").items }}
{{- if and (ne .metadata.name $.Release.Name) (has "bindings" ((.spec | default dict).enabledFeatures | default list)) }}
bindings.enabled=true: release {{ .metadata.name }} binds endpoints into namespace {{ $.Release.Namespace }} already, and both would sign over one another in Secret ngrok-operator-default-tls
  remedy: install in a namespace of its own, or bindings.enabled=false
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "ngrok-operator.checks.monitors" -}}
{{- $metrics := .Values.metrics | default dict }}
{{- if and ($metrics.podMonitor | default dict).enabled ($metrics.serviceMonitor | default dict).enabled }}
metrics.podMonitor.enabled=true with metrics.serviceMonitor.enabled=true: every pod would be read twice, and every sum be double
  remedy: one of them
{{- end }}
{{- end -}}

{{- define "ngrok-operator.checks.drain" -}}
{{- if not (has .Values.drainPolicy (list "Retain" "Delete")) }}
drainPolicy {{ .Values.drainPolicy | quote }}:
  remedy: Retain or Delete
{{- end }}
{{- if lt (int .Values.cleanupHook.timeout) 30 }}
cleanupHook.timeout {{ .Values.cleanupHook.timeout }}: leaves no time for a drain
  remedy: 30 or more, in seconds, the same as the --timeout of helm uninstall
{{- end }}
{{- if not (has .Values.defaultDomainReclaimPolicy (list "Retain" "Delete")) }}
defaultDomainReclaimPolicy {{ .Values.defaultDomainReclaimPolicy | quote }}:
  remedy: Retain or Delete
{{- end }}
{{- if and (not .Values.cleanupHook.enabled) (not .Values.gitops.argocd) .Values.installCRDs (not .Values.crds.keep) }}
cleanupHook.enabled=false with crds.keep=false: uninstall would hang on finalizers
  remedy: crds.keep=true or cleanupHook.enabled=true
{{- end }}
{{- end -}}

{{- /* A look into the cluster: what goes with a CustomResourceDefinition is every custom resource of its kind.
       `helm template`, and Argo CD by it, see no cluster; neither does who installs without ClusterRoles. Who takes them from
       a release that had them may still look, and there the CustomResourceDefinitions may be the release's. */ -}}
{{- define "ngrok-operator.checks.crds" -}}
{{- $looks := .Values.rbac.cluster }}
{{- if not $looks }}
{{- $before := lookup "apps/v1" "Deployment" .Release.Namespace (include "ngrok-operator.named" (list . "manager")) }}
{{- range ((($before.spec).template).spec).containers }}
{{- if not (has "--rbac-cluster=false" .args) }}{{ $looks = true }}{{ end }}
{{- end }}
{{- end }}
{{- if $looks }}
{{- $dropped := list }}
{{- range $name := include "ngrok-operator.crdNames" . | fromJsonArray }}
{{- $found := (lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name).metadata | default dict }}
{{- $marks := $found.annotations | default dict }}
{{- if $found.deletionTimestamp }}
CustomResourceDefinition {{ $name }} is being deleted, and every {{ first (splitList "." $name) }} object with it
  remedy: wait for it: kubectl wait --for=delete crd/{{ $name }}; what holds it is shown by: kubectl get {{ $name }} -A -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.name} {.metadata.finalizers}{"\n"}{end}'
{{- end }}
{{- if and (eq (get $marks "meta.helm.sh/release-name") $.Release.Name) (eq (get $marks "meta.helm.sh/release-namespace") $.Release.Namespace) (ne (get $marks "helm.sh/resource-policy") "keep") }}
{{- $dropped = append $dropped $name }}
{{- end }}
{{- end }}
{{- if and $dropped (not .Values.installCRDs) }}
installCRDs=false: this upgrade would delete the CustomResourceDefinitions and every custom resource with them ({{ join ", " $dropped }})
  remedy: kubectl get crd -o name | grep k8s.ngrok.com | xargs -ICRD kubectl annotate CRD helm.sh/resource-policy=keep, then upgrade again
{{- end }}
{{- end }}
{{- end -}}

{{- /* Argo CD renders by `helm template`, which sees no cluster. Who sees one is Helm itself: it would have no hook to drain by, and
       with installCRDs=true it could not even make the KubernetesOperator, whose kind it has to know beforehand. */ -}}
{{- define "ngrok-operator.checks.gitops" -}}
{{- if and .Values.gitops.argocd (lookup "v1" "Namespace" "" "default") }}
gitops.argocd=true: Helm would have no hooks, and helm uninstall would stop the operator with every finalizer in its place
  remedy: leave gitops.argocd to Argo CD, which renders and applies by itself
{{- end }}
{{- if .Values.gitops.argocd }}
{{- $marked := dict "commonAnnotations" .Values.commonAnnotations }}
{{- if .Values.serviceAccount.create }}{{ $_ := set $marked "serviceAccount.annotations" .Values.serviceAccount.annotations }}{{ end }}
{{- $agent := .Values.agent.serviceAccount | default dict }}
{{- if and (include "ngrok-operator.hasAgent" .) $agent.create }}{{ $_ := set $marked "agent.serviceAccount.annotations" $agent.annotations }}{{ end }}
{{- $forwarder := .Values.bindings.forwarder.serviceAccount | default dict }}
{{- if and (include "ngrok-operator.hasForwarder" .) $forwarder.create }}{{ $_ := set $marked "bindings.forwarder.serviceAccount.annotations" $forwarder.annotations }}{{ end }}
{{- range $name, $map := $marked }}
{{- $wave := include "ngrok-operator.text" (list $ (get ($map | default dict) "argocd.argoproj.io/sync-wave")) | trim }}
{{- if gt (int $wave) 0 }}
{{ $name }} argocd.argoproj.io/sync-wave {{ $wave }}: Argo CD deletes the highest wave first, and with it what the drain needs: the KubernetesOperator is in wave 1
  remedy: leave it out, or 0 or less
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* `helm template` does not know what the cluster has. */ -}}
{{- define "ngrok-operator.checks.guard" -}}
{{- if include "ngrok-operator.hasGuard" . }}
{{- if not .Values.rbac.cluster }}
protect.enabled=true with rbac.cluster=false: the guard is an object of the cluster
  remedy: protect.enabled=false, or rbac.cluster=true
{{- else if and (not (.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy")) (lookup "v1" "Namespace" "" "default") }}
protect.enabled=true: Kubernetes {{ .Capabilities.KubeVersion.Version }} has no ValidatingAdmissionPolicy
  remedy: protect.enabled=false; from Kubernetes 1.30 on it is there
{{- end }}
{{- end }}
{{- end -}}

{{- define "ngrok-operator.checks.image" -}}
{{- /* Values that were taken along from the Go operator's chart: its image has none of our programs. */ -}}
{{- $tag := .Values.image.tag | default "" }}
{{- if and (regexMatch "^v?0\\.2[0-4]\\." $tag) (eq .Values.image.repository "ngrok/ngrok-operator") (not .Values.image.digest) }}
image.tag {{ $tag }}: an image of the Go operator, without the programs of this chart
  remedy: take image.tag out of the values (docs/upgrading/from-go-0.24.md)
{{- end }}
{{- $named := dict "image" .Values.image }}
{{- if include "ngrok-operator.hasHookImage" . }}{{ $_ := set $named "cleanupHook.image" .Values.cleanupHook.image }}{{ end }}
{{- range $name, $image := $named }}
{{- if and (eq ($image.tag | default "") "latest") (not $image.digest) (not $.Values.image.allowLatest) }}
{{ $name }}.tag latest: may be another image on uninstall day, not reproducible
  remedy: a version or {{ $name }}.digest (or image.allowLatest=true)
{{- end }}
{{- end }}
{{- range $name, $digest := dict "image.digest" .Values.image.digest "cleanupHook.image.digest" .Values.cleanupHook.image.digest }}
{{- if and $digest (not (regexMatch "^sha256:[0-9a-f]{64}$" $digest)) }}
{{ $name }} {{ $digest | quote }}: no digest
  remedy: sha256: and 64 hex digits
{{- end }}
{{- end }}
{{- end -}}

{{- define "ngrok-operator.checks.credentials" -}}
{{- if and .Values.credentials.authtoken (not .Values.credentials.apiKey) }}
An ngrok API key is required: credentials.authtoken is set, credentials.apiKey is not; both or none
  remedy: credentials.secret.name, a Secret of your own; or set credentials.apiKey
{{- end }}
{{- if and .Values.credentials.apiKey (not .Values.credentials.authtoken) (include "ngrok-operator.hasAgent" .) }}
An ngrok Authtoken is required: credentials.apiKey is set, credentials.authtoken is not; both or none
  remedy: credentials.secret.name, a Secret of your own; or set credentials.authtoken
{{- end }}
{{- if and .Values.credentials.secret.name (or .Values.credentials.apiKey .Values.credentials.authtoken) }}
credentials.secret.name together with credentials.apiKey or authtoken: two sources
  remedy: remove apiKey and authtoken where the Secret is yours, credentials.secret.name where this release makes it
{{- end }}
{{- end -}}

{{- define "ngrok-operator.checks.scope" -}}
{{- $watch := include "ngrok-operator.watchNamespace" . }}
{{- if and (not .Values.rbac.cluster) (not $watch) }}
rbac.cluster=false without ingress.watchNamespace: all namespaces cannot be watched without ClusterRoles
  remedy: set ingress.watchNamespace, or rbac.cluster=true
{{- end }}
{{- if and (not .Values.rbac.cluster) .Values.installCRDs }}
rbac.cluster=false with installCRDs=true: CustomResourceDefinitions are objects of the cluster, and nobody here could see who else needs them
  remedy: installCRDs=false, after somebody who may has installed them: helm template CHART --show-only 'templates/crds/*.yaml' | kubectl apply -f -
{{- end }}
{{- if and .Values.bindings.enabled $watch (ne $watch .Release.Namespace) }}
ingress.watchNamespace={{ $watch }} with bindings.enabled=true in {{ .Release.Namespace }}: bindings live in the release namespace
  remedy: install in {{ $watch }}, or leave ingress.watchNamespace empty
{{- end }}
{{- end -}}

{{- define "ngrok-operator.checks.pods" -}}
{{- if lt (int .Values.replicaCount) 1 }}
replicaCount={{ .Values.replicaCount }}: a stopped operator cannot drain; scale the Deployment, not the chart
  remedy: 1 or more
{{- end }}
{{- range $name, $own := dict "agent" .Values.agent "bindings.forwarder" .Values.bindings.forwarder }}
{{- $strategy := ($own | default dict).updateStrategy | default dict }}
{{- if and (eq (get $strategy "type" | toString) "Recreate") (get $strategy "rollingUpdate") }}
{{ $name }}.updateStrategy: Kubernetes refuses rollingUpdate beside type Recreate
  remedy: {{ $name }}.updateStrategy.rollingUpdate=null
{{- end }}
{{- end }}
{{- $pod := .Values.podSecurityContext }}
{{- $container := .Values.containerSecurityContext }}
{{- range $name, $context := dict "podSecurityContext" $pod "containerSecurityContext" $container }}
{{- if eq (toString (get $context "runAsUser")) "0" }}
{{ $name }}.runAsUser=0: hooks would be refused under restricted
  remedy: remove it
{{- end }}
{{- end }}
{{- range $key := list "privileged" "allowPrivilegeEscalation" }}
{{- if get $container $key }}
containerSecurityContext.{{ $key }}=true: hooks would be refused under restricted
  remedy: remove it
{{- end }}
{{- end }}
{{- range $key := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" }}
{{- if or (hasKey ($.Values.podLabels | default dict) $key) (hasKey ($.Values.commonLabels | default dict) $key) }}
podLabels or commonLabels {{ $key }}: the Deployment finds its pods by it
  remedy: another label
{{- end }}
{{- end }}
{{- range $key, $value := .Values.commonAnnotations }}
{{- if or (hasPrefix "helm.sh/" $key) (hasPrefix "meta.helm.sh/" $key) }}
commonAnnotations {{ $key }}: tells Helm what to do with an object, and would hold for every one of this release
  remedy: remove it
{{- end }}
{{- end }}
{{- $budget := .Values.podDisruptionBudget }}
{{- if and $budget.create (include "ngrok-operator.said" $budget.minAvailable) $budget.maxUnavailable (ne (toString $budget.maxUnavailable) "1") }}
podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable: Kubernetes takes one
  remedy: set maxUnavailable=null (--set podDisruptionBudget.maxUnavailable=null), or leave minAvailable out
{{- end }}
{{- if and .Values.extraCA.secretName .Values.extraCA.configMapName }}
extraCA.secretName and extraCA.configMapName: one certificate authority, two places
  remedy: leave one of them empty
{{- end }}
{{- if or .Values.extraCA.secretName .Values.extraCA.configMapName }}
{{- range .Values.extraVolumeMounts }}
{{- if eq (trimSuffix "/" (toString .mountPath)) "/etc/ssl/certs/ngrok" }}
extraCA with extraVolumeMounts {{ .name }}: both are mounted at /etc/ssl/certs/ngrok, which Kubernetes refuses
  remedy: remove it from extraVolumeMounts and extraVolumes, or extraCA.secretName and extraCA.configMapName
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* In words: a schema could only show the pattern. */ -}}
{{- define "ngrok-operator.checks.network" -}}
{{- $proxy := .Values.proxy | default dict }}
{{- range $name, $address := dict "apiURL" .Values.apiURL "serverAddr" .Values.serverAddr "bindings.ingressEndpoint" .Values.bindings.ingressEndpoint "proxy.httpsProxy" $proxy.httpsProxy "proxy.httpProxy" $proxy.httpProxy }}
{{- $port := include "ngrok-operator.portOf" ($address | default "") | atoi }}
{{- if or (lt $port 1) (gt $port 65535) }}
{{ $name }} {{ $address | quote }}: no such port
  remedy: a port from 1 to 65535
{{- end }}
{{- end }}
{{- $byte := "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])" }}
{{- $cidr := ((.Values.networkPolicy).apiServer).cidr | default "" }}
{{- $isFour := regexMatch (printf "^(%s[.]){3}%s/(3[0-2]|[12]?[0-9])$" $byte $byte) $cidr }}
{{- $isSix := regexMatch "^[0-9a-fA-F]*:[0-9a-fA-F:.]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9])$" $cidr }}
{{- if and $cidr (not $isFour) (not $isSix) }}
networkPolicy.apiServer.cidr {{ $cidr | quote }}: no block of addresses
  remedy: as 10.0.0.1/32 or fd00::1/128
{{- end }}
{{- end -}}

{{- define "ngrok-operator.checks.flags" -}}
{{- range $name, $key := dict "HTTPS_PROXY" "httpsProxy" "HTTP_PROXY" "httpProxy" "NO_PROXY" "noProxy" }}
{{- if and (hasKey ($.Values.extraEnv | default dict) $name) (get ($.Values.proxy | default dict) $key) }}
extraEnv {{ $name }} and proxy.{{ $key }}: one variable, two places
  remedy: leave one of them out
{{- end }}
{{- end }}
{{- range $name := list "NGROK_API_KEY" "NGROK_AUTHTOKEN" "POD_NAMESPACE" "POD_NAME" "POD_UID" "JOB_UID" "RELEASE_NAME" "FULLNAME" "NAME_LABEL" "WATCH_NAMESPACE" "DRAIN_POLICY" "HELM_TIMEOUT" "DRAIN_HOOK" "CRDS_GO" "RBAC_CLUSTER" "NGROK_API_URL" "NGROK_CALLS_PER_MINUTE" "HOOK_POD" "REVISION" "CHART_VERSION" "MALLOC_ARENA_MAX" "MALLOC_MMAP_THRESHOLD_" "NODE_EXTRA_CA_CERTS" "NODE_USE_SYSTEM_CA" }}
{{- if hasKey ($.Values.extraEnv | default dict) $name }}
{{- if not (and (hasPrefix "NODE_" $name) (not (or $.Values.extraCA.secretName $.Values.extraCA.configMapName (eq $.Values.rootCAs "host")))) }}
extraEnv {{ $name }}: set by the chart
  remedy: rename it, or set the value of the chart that stands for it
{{- end }}
{{- end }}
{{- end }}
{{- $maps := dict "ngrokMetadata" .Values.ngrokMetadata "metaData" .Values.metaData "bindings.serviceAnnotations" .Values.bindings.serviceAnnotations "bindings.serviceLabels" .Values.bindings.serviceLabels }}
{{- range $name, $map := $maps }}
{{- range $key, $value := $map }}
{{- if or (eq $key "") (contains "," $key) (contains "=" $key) (contains "," (toString $value)) }}
{{ $name }} {{ $key | quote }}: a comma, or an empty key or = in one, has another meaning in the flag that it becomes
  remedy: another text
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
