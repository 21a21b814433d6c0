{{- /* Values that work, but not as their author may think: told in NOTES.txt, never refused. */ -}}
{{- define "ngrok-operator.warnings" -}}
{{- if include "ngrok-operator.kubectlImage" . }}
Warning: cleanupHook.image.repository={{ .Values.cleanupHook.image.repository }} is ignored: the hook runs the operator's image, not kubectl.
{{- end }}
{{- range $old, $new := dict "controllerName" "ingress.controllerName" "watchNamespace" "ingress.watchNamespace" "ingressClass" "ingress.ingressClass" "metaData" "ngrokMetadata" }}
{{- if get $.Values $old }}
Warning: the value {{ $old }} is deprecated, use {{ $new }}.
{{- end }}
{{- end }}
{{- if gt (int .Values.cleanupHook.timeout) 300 }}
Warning: cleanupHook.timeout={{ .Values.cleanupHook.timeout }} needs helm uninstall --timeout {{ .Values.cleanupHook.timeout }}s: by itself Helm gives up after 300s.
{{- end }}
{{- $watch := include "ngrok-operator.watchNamespace" . }}
{{- if and $watch (ne $watch .Release.Namespace) }}
Warning: the watched namespace {{ $watch }} is not the release namespace; keep it until the uninstall is done.
{{- end }}
{{- if and (.Values.proxy).httpsProxy (or (include "ngrok-operator.hasAgent" .) (include "ngrok-operator.hasForwarder" .)) }}
Warning: proxy.httpsProxy leads to ngrok's API; agents and forwarders reach ngrok directly, since the connections that they keep open cannot take a proxy.
{{- end }}
{{- if not .Values.rbac.cluster }}
Warning: rbac.cluster=false: {{ if .Values.gateway.enabled }}Gateways and their routes are not served, since GatewayClasses cannot be read; IngressClasses neither, so the one that counts is called ngrok; {{ end }}what lies outside {{ $watch }} and {{ .Release.Namespace }} stays unknown to the drain.
{{- end }}
{{- if semverCompare "<1.30.0-0" .Capabilities.KubeVersion.Version }}
Warning: Kubernetes {{ .Capabilities.KubeVersion.Version }} is older than any that this chart was tried with (1.30).
{{- end }}
{{- $cpu := ((.Values.cleanupHook.resources).limits).cpu | default "1" | toString }}
{{- if and (hasSuffix "m" $cpu) (lt (trimSuffix "m" $cpu | int) 1000) }}
Warning: cleanupHook.resources.limits.cpu={{ $cpu }} is less than 1: a drain of many objects may not end within Helm's timeout.
{{- end }}
{{- end -}}
