{{- /* Flags of the agent-manager beside those that all replicas have. */ -}}
{{- define "ngrok-operator.agentArgs" -}}
- --enable-feature-ingress={{ .Values.ingress.enabled }}
- --enable-feature-gateway={{ .Values.gateway.enabled }}
- --enable-feature-bindings={{ .Values.bindings.enabled }}
- --disable-reference-grants={{ .Values.gateway.disableReferenceGrants }}
- --default-domain-reclaim-policy={{ .Values.defaultDomainReclaimPolicy }}
{{- with .Values.region }}
- {{ printf "--region=%s" . | quote }}
{{- end }}
{{- with .Values.serverAddr }}
- {{ printf "--server-addr=%s" . | quote }}
{{- end }}
{{- with .Values.rootCAs }}
- --root-cas={{ . }}
{{- end }}
{{- end -}}

{{- define "ngrok-operator.agentEnv" -}}
- name: NGROK_AUTHTOKEN
  valueFrom:
    secretKeyRef:
      name: {{ include "ngrok-operator.credentials" . | quote }}
      key: AUTHTOKEN
      # A missing token is a reason not to be ready, not a pod that does not start.
      optional: true
{{- end -}}
