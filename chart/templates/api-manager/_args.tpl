{{- /* Flags of the api-manager. Switches are always written out: a flag left out would fall back to the program's default. */ -}}
{{- define "ngrok-operator.apiManagerArgs" -}}
- --release-name={{ .Release.Name }}
- --fullname={{ include "ngrok-operator.fullname" . }}
- --drain-policy={{ .Values.drainPolicy }}
- --default-domain-reclaim-policy={{ .Values.defaultDomainReclaimPolicy }}
- --enable-feature-ingress={{ .Values.ingress.enabled }}
- --enable-feature-gateway={{ .Values.gateway.enabled }}
- --disable-reference-grants={{ .Values.gateway.disableReferenceGrants }}
- --enable-feature-bindings={{ .Values.bindings.enabled }}
{{- if .Values.oneClickDemoMode }}
- --one-click-demo-mode=true
{{- end }}
{{- if .Values.bindings.enabled }}
- {{ printf "--bindings-endpoint-selectors=%s" (toJson .Values.bindings.endpointSelectors) | quote }}
{{- with include "ngrok-operator.pairs" .Values.bindings.serviceAnnotations }}
- {{ printf "--bindings-service-annotations=%s" . | quote }}
{{- end }}
{{- with include "ngrok-operator.pairs" .Values.bindings.serviceLabels }}
- {{ printf "--bindings-service-labels=%s" . | quote }}
{{- end }}
- {{ printf "--bindings-ingress-endpoint=%s" .Values.bindings.ingressEndpoint | quote }}
{{- end }}
{{- with .Values.description }}
- {{ printf "--description=%s" . | quote }}
{{- end }}
{{- with .Values.region }}
- {{ printf "--region=%s" . | quote }}
{{- end }}
{{- with .Values.apiURL }}
- {{ printf "--api-url=%s" . | quote }}
{{- end }}
{{- with .Values.serverAddr }}
- {{ printf "--server-addr=%s" . | quote }}
{{- end }}
{{- with include "ngrok-operator.pairs" (.Values.metaData | default .Values.ngrokMetadata) }}
- {{ printf "--ngrokMetadata=%s" . | quote }}
{{- end }}
- --ingress-controller-name={{ include "ngrok-operator.controllerName" . }}
- {{ printf "--gateway-controller-name=%s" .Values.gateway.controllerName | quote }}
{{- with include "ngrok-operator.watchNamespace" . }}
- --ingress-watch-namespace={{ . }}
{{- end }}
{{- if .Values.gitops.argocd }}
- --kubernetes-operator=given
{{- end }}
- --rbac-cluster={{ .Values.rbac.cluster }}
- --zap-log-level={{ .Values.log.level }}
- --zap-stacktrace-level={{ .Values.log.stacktraceLevel }}
- --zap-encoder={{ .Values.log.format }}
- --health-probe-bind-address=:8081
- --metrics-bind-address=:8080
- --election-id={{ include "ngrok-operator.named" (list . "leader") }}
- --manager-name={{ include "ngrok-operator.named" (list . "manager") }}
{{- with .Values.clusterDomain }}
- --cluster-domain={{ . }}
{{- end }}
{{- end -}}
