{{- /* Names and labels. api/release.ts makes the same names; test/chart compares the two. */ -}}

{{- define "ngrok-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* An alias of the chart may have capitals: a label takes them, a name does not. */ -}}
{{- define "ngrok-operator.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride | lower -}}
{{- $full := .Values.fullnameOverride | default (ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name)) -}}
{{- $full | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* `<fullname>-<suffix>`, at most 63 characters with the suffix whole: (list . "suffix"). */ -}}
{{- define "ngrok-operator.named" -}}
{{- $base := include "ngrok-operator.fullname" (index . 0) -}}
{{- $suffix := index . 1 -}}
{{- printf "%s-%s" (regexReplaceAll "-+$" (trunc (sub 62 (len $suffix) | int) $base) "") $suffix -}}
{{- end -}}

{{- /* The same uncut, for what may have 253 characters: rights, and the credentials. Cut, the names of two releases could be one, and
       those of cluster-wide objects must differ: (list . "suffix"). */ -}}
{{- define "ngrok-operator.whole" -}}
{{- printf "%s-%s" (include "ngrok-operator.fullname" (index . 0)) (index . 1) -}}
{{- end -}}

{{- define "ngrok-operator.credentials" -}}
{{- .Values.credentials.secret.name | default (include "ngrok-operator.whole" (list . "credentials")) -}}
{{- end -}}

{{- define "ngrok-operator.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "ngrok-operator.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- /* Whether there are hooks: Argo CD runs some of Helm's and some not, and needs none of ours. */ -}}
{{- define "ngrok-operator.hasHooks" -}}
{{- if and .Values.cleanupHook.enabled (not .Values.gitops.argocd) -}}true{{- end -}}
{{- end -}}

{{- /* Our CustomResourceDefinitions, as JSON. */ -}}
{{- define "ngrok-operator.crdNames" -}}
{{- list "boundendpoints.bindings.k8s.ngrok.com" "domains.ingress.k8s.ngrok.com" "ippolicies.ingress.k8s.ngrok.com" "agentendpoints.ngrok.k8s.ngrok.com" "cloudendpoints.ngrok.k8s.ngrok.com" "kubernetesoperators.ngrok.k8s.ngrok.com" "ngroktrafficpolicies.ngrok.k8s.ngrok.com" | toJson -}}
{{- end -}}

{{- /* Whether deletions are guarded; the values of an older chart do not say. */ -}}
{{- define "ngrok-operator.hasGuard" -}}
{{- if (.Values.protect).enabled -}}true{{- end -}}
{{- end -}}

{{- /* Whether there are agents. */ -}}
{{- define "ngrok-operator.hasAgent" -}}
{{- if and .Values.agent.enabled (not .Values.oneClickDemoMode) -}}true{{- end -}}
{{- end -}}

{{- define "ngrok-operator.agentServiceAccount" -}}
{{- $account := .Values.agent.serviceAccount | default dict -}}
{{- if $account.create -}}
{{- $account.name | default (include "ngrok-operator.named" (list . "agent")) -}}
{{- else -}}
{{- $account.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- /* Whether there are forwarders. */ -}}
{{- define "ngrok-operator.hasForwarder" -}}
{{- if and .Values.bindings.enabled (not .Values.oneClickDemoMode) -}}true{{- end -}}
{{- end -}}

{{- define "ngrok-operator.forwarderServiceAccount" -}}
{{- $account := .Values.bindings.forwarder.serviceAccount | default dict -}}
{{- if $account.create -}}
{{- $account.name | default (include "ngrok-operator.named" (list . "bindings-forwarder")) -}}
{{- else -}}
{{- $account.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "ngrok-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ngrok-operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "ngrok-operator.labels" -}}
{{- include "ngrok-operator.labelsWith" (list . dict) -}}
{{- end -}}

{{- /* The same with more, which win: (list $ map). */ -}}
{{- define "ngrok-operator.labelsWith" -}}
{{- $root := index . 0 -}}
{{- $chart := dict
      "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
      "app.kubernetes.io/version" ($root.Chart.AppVersion | replace "+" "_")
      "app.kubernetes.io/part-of" $root.Chart.Name
      "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $selector := include "ngrok-operator.selectorLabels" $root | fromYaml -}}
{{- include "ngrok-operator.strings" (list $root (include "ngrok-operator.merged" (list (index . 1) $root.Values.commonLabels $chart $selector) | fromJson)) -}}
{{- end -}}

{{- /* Maps as one, as JSON: of each key the first that says something. Sprig's `merge` takes false and an empty text for
       nothing said: (list map map ...). */ -}}
{{- define "ngrok-operator.merged" -}}
{{- $all := dict -}}
{{- range . -}}
{{- range $key, $value := . -}}
{{- if not (or (hasKey $all $key) (kindIs "invalid" $value)) -}}{{- $_ := set $all $key $value -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $all -}}
{{- end -}}

{{- /* Whether a number is said, 0 included: null and an empty text are not. */ -}}
{{- define "ngrok-operator.said" -}}
{{- if not (or (kindIs "invalid" .) (eq (toString .) "")) -}}true{{- end -}}
{{- end -}}

{{- /* A text with templates in it rendered; toJson, since toString makes 1e+06 of 1000000: (list $ value). */ -}}
{{- define "ngrok-operator.text" -}}
{{- $value := index . 1 -}}
{{- if kindIs "string" $value -}}{{- tpl $value (index . 0) -}}{{- else -}}{{- toJson $value -}}{{- end -}}
{{- end -}}

{{- /* A map whose values become strings, with templates in it rendered; null is not said: (list $ map). */ -}}
{{- define "ngrok-operator.strings" -}}
{{- $root := index . 0 -}}
{{- $strings := dict -}}
{{- range $key, $value := index . 1 -}}
{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $strings $key (include "ngrok-operator.text" (list $root $value)) -}}{{- end -}}
{{- end -}}
{{- toYaml $strings -}}
{{- end -}}

{{- /* `annotations:` with the common ones and these, or nothing: (list $ map). */ -}}
{{- define "ngrok-operator.annotations" -}}
{{- $root := index . 0 -}}
{{- with include "ngrok-operator.merged" (list (index . 1) $root.Values.commonAnnotations) | fromJson -}}
annotations:
  {{- include "ngrok-operator.strings" (list $root .) | nindent 2 }}
{{- end -}}
{{- end -}}

{{- /* Any value with templates in it rendered, as YAML: (list $ value). */ -}}
{{- define "ngrok-operator.render" -}}
{{- tpl (toYaml (index . 1)) (index . 0) -}}
{{- end -}}

{{- /* Deprecated top-level forms win over those under `ingress`. */ -}}
{{- define "ngrok-operator.watchNamespace" -}}
{{- .Values.watchNamespace | default .Values.ingress.watchNamespace | default "" -}}
{{- end -}}

{{- define "ngrok-operator.watchesAll" -}}
{{- if not (include "ngrok-operator.watchNamespace" .) -}}true{{- end -}}
{{- end -}}

{{- define "ngrok-operator.controllerName" -}}
{{- .Values.controllerName | default .Values.ingress.controllerName -}}
{{- end -}}

{{- define "ngrok-operator.ingressClass" -}}
{{- include "ngrok-operator.merged" (list .Values.ingressClass .Values.ingress.ingressClass) -}}
{{- end -}}

{{- /* Whether the post-delete hook may look at the watched kinds only through a ClusterRole: at that time the watched
       namespace holds nothing of this release any more, and a hook object in a namespace that is gone fails for ever. */ -}}
{{- define "ngrok-operator.cleanupWide" -}}
{{- $watch := include "ngrok-operator.watchNamespace" . -}}
{{- if or (not $watch) (and .Values.rbac.cluster (ne $watch .Release.Namespace)) -}}true{{- end -}}
{{- end -}}
