{{- /* NetworkPolicies: what each pod must reach, and nothing else. A port without an address is that port anywhere: where ngrok
       and DNS are changes, and who does the API server's work is seen only behind its Service. */ -}}

{{- define "ngrok-operator.hasNetworkPolicies" -}}
{{- if (.Values.networkPolicy).enabled -}}true{{- end -}}
{{- end -}}

{{- /* `host:port` or a URL as its port; 443 where none is said, 80 of http. */ -}}
{{- define "ngrok-operator.portOf" -}}
{{- $address := regexReplaceAll "^[a-z]+://|/.*$" . "" -}}
{{- if regexMatch ":[0-9]+$" $address -}}{{- regexFind "[0-9]+$" $address -}}{{- else if hasPrefix "http://" . -}}80{{- else -}}443{{- end -}}
{{- end -}}

{{- /* Ports at which ngrok is reached, as JSON. */ -}}
{{- define "ngrok-operator.ngrokPorts" -}}
{{- $ports := list 443 -}}
{{- $proxy := .Values.proxy | default dict -}}
{{- range list .Values.apiURL .Values.serverAddr ($proxy.httpsProxy | default "") ($proxy.httpProxy | default "") (ternary .Values.bindings.ingressEndpoint "" .Values.bindings.enabled) -}}
{{- if . -}}{{- $ports = append $ports (include "ngrok-operator.portOf" . | int) -}}{{- end -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}

{{- /* The spec of the policy of one component's pods: (list $ component ingress egress), the last two as YAML of a list or empty. */ -}}
{{- define "ngrok-operator.networkPolicySpec" -}}
{{- $root := index . 0 -}}
{{- $own := $root.Values.networkPolicy -}}
{{- $server := $own.apiServer | default dict -}}
podSelector:
  matchLabels:
    {{- include "ngrok-operator.selectorLabels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ index . 1 }}
policyTypes: [Ingress, Egress]
ingress:{{ with index . 2 }}{{ . | nindent 2 }}{{ else }} []{{ end }}
egress:
  # DNS, at the port of its pods, which a policy sees behind the Service's 53: OpenShift's listen on 5353
  - ports:
      - { protocol: UDP, port: 53 }
      - { protocol: TCP, port: 53 }
      - { protocol: UDP, port: 5353 }
      - { protocol: TCP, port: 5353 }
  # The API server
  - ports:
      {{- range $server.ports | default (list 443 6443) }}
      - { protocol: TCP, port: {{ int . }} }
      {{- end }}
    {{- with $server.cidr }}
    to:
      - ipBlock:
          cidr: {{ . | quote }}
    {{- end }}
  # ngrok
  - ports:
      {{- range include "ngrok-operator.ngrokPorts" $root | fromJsonArray }}
      - { protocol: TCP, port: {{ int . }} }
      {{- end }}
  {{- with index . 3 }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $own.extraEgress }}
  {{- include "ngrok-operator.render" (list $root .) | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "ngrok-operator.forwarderEgress" -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "ngrok-operator.selectorLabels" . | nindent 10 }}
          app.kubernetes.io/component: bindings-forwarder
{{- end -}}

{{- /* Ingress of a pod with metrics: whoever may read them, or everybody. The kubelet's probes come from its node, which is let in. */ -}}
{{- define "ngrok-operator.metricsIngress" -}}
- ports:
    - { protocol: TCP, port: 8080 }
    - { protocol: TCP, port: 8081 }
  {{- with .Values.networkPolicy.metricsFrom }}
  from:
    {{- include "ngrok-operator.render" (list $ .) | nindent 4 }}
  {{- end }}
{{- end -}}
