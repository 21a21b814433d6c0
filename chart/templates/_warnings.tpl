{{- /* Values that work, but not as their author may think: told in NOTES.txt, never refused. */ -}}
{{- define "ngrok-operator.warnings" -}}
{{- if include "ngrok-operator.kubectlImage" . }}
Warning: cleanupHook.image.repository={{ .Values.cleanupHook.image.repository }} is ignored: the hook runs the operator's image, not kubectl.
{{- else if .Values.cleanupHook.image.repository }}
Warning: the hooks run cleanupHook.image.repository={{ .Values.cleanupHook.image.repository }}, which must hold /app/hooks: prove it by helm test {{ .Release.Name }} -n {{ .Release.Namespace }}
{{- end }}
{{- $deprecated := list }}
{{- range $old, $new := dict "controllerName" "ingress.controllerName" "watchNamespace" "ingress.watchNamespace" "ingressClass" "ingress.ingressClass" "metaData" "ngrokMetadata" }}
{{- if get $.Values $old }}{{ $deprecated = append $deprecated (printf "%s (use %s)" $old $new) }}{{ end }}
{{- end }}
{{- with $deprecated }}
Warning: deprecated values: {{ join ", " . }}.
{{- end }}
{{- $seconds := int .Values.cleanupHook.timeout }}
{{- if gt $seconds 300 }}
Warning: cleanupHook.timeout={{ $seconds }} needs helm uninstall --timeout {{ ternary (printf "%dm" (div $seconds 60)) (printf "%ds" $seconds) (eq (mod $seconds 60) 0) }}: by itself Helm gives up after 5m.
{{- end }}
{{- $watch := include "ngrok-operator.watchNamespace" . }}
{{- if and $watch (ne $watch .Release.Namespace) }}
Warning: the watched namespace {{ $watch }} is not the release namespace; keep it until the uninstall is done.
{{- end }}
{{- range $key, $name := dict "httpsProxy" "HTTPS_PROXY" "httpProxy" "HTTP_PROXY" }}
{{- if regexMatch "//[^/]*:[^/]*@" (get ($.Values.proxy | default dict) $key) }}
Warning: whoever may read pods reads the password in proxy.{{ $key }}: put the address into a Secret and name it in extraEnv.{{ $name }}.
{{- end }}
{{- end }}
{{- if and (include "ngrok-operator.hasHooks" .) (not .Values.serviceAccount.create) (not (include "ngrok-operator.pullSecrets" .)) }}
Warning: serviceAccount.create=false: if account {{ include "ngrok-operator.serviceAccount" . }} carries imagePullSecrets, name them in image.pullSecrets: the hooks' accounts have none.
{{- end }}
{{- if not .Values.rbac.cluster }}
Warning: rbac.cluster=false: {{ if .Values.gateway.enabled }}Gateways and their routes are not served, since GatewayClasses cannot be read; {{ end }}{{ if .Values.ingress.enabled }}IngressClasses cannot be read, so the one that counts is called ngrok; {{ end }}what lies outside {{ list $watch .Release.Namespace | uniq | join " and " }} stays unknown to the drain.
{{- end }}
{{- if and .Values.image.tag .Values.image.digest }}
Warning: image.tag={{ .Values.image.tag }} is not read, since image.digest is set: set image.digest to that of the image you mean, or to nothing.
{{- end }}
{{- if semverCompare "<1.30.0-0" .Capabilities.KubeVersion.Version }}
Warning: Kubernetes {{ .Capabilities.KubeVersion.Version }} is older than any that this chart was tried with (1.30).
{{- end }}
{{- $cpu := ((.Values.cleanupHook.resources).limits).cpu | default "1" | toString }}
{{- if and (hasSuffix "m" $cpu) (lt (trimSuffix "m" $cpu | int) 1000) }}
Warning: cleanupHook.resources.limits.cpu={{ $cpu }} is less than 1: a drain of many objects may not end within Helm's timeout.
{{- end }}
{{- $hook := include "ngrok-operator.hookResources" . | fromYaml }}
{{- range $name, $limit := $hook.limits }}
{{- if not (hasKey ($hook.requests | default dict) $name) }}
Warning: cleanupHook.resources.limits.{{ $name }}={{ $limit }} without a request: Kubernetes requests as much, and a hook has to find a node with that.
{{- end }}
{{- end }}
{{- end -}}
