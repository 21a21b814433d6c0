{{- /* The pods of which every replica works: agents and forwarders. They differ in their values and in what they run. */ -}}

{{- /* Their Deployment: a dict of root; own (their values); suffix and component (of names and labels); container; program;
       serviceAccount; flags (Node's), args, env and podAnnotations (YAML, or empty). */ -}}
{{- define "ngrok-operator.replicaDeployment" -}}
{{- $root := .root -}}
{{- $own := .own -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "ngrok-operator.named" (list $root .suffix) }}
  namespace: {{ $root.Release.Namespace | quote }}
  labels:
    {{- include "ngrok-operator.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  {{- with include "ngrok-operator.annotations" (list $root dict) }}{{ . | nindent 2 }}{{ end }}
spec:
  replicas: {{ $own.replicaCount }}
  {{- with $own.updateStrategy }}
  strategy:
    {{- include "ngrok-operator.strategy" . | nindent 4 }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "ngrok-operator.selectorLabels" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  template:
    metadata:
      labels:
        {{- include "ngrok-operator.labelsWith" (list $root $root.Values.podLabels) | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
      annotations:
        {{- $scrape := dict "prometheus.io/path" "/metrics" "prometheus.io/port" "8080" "prometheus.io/scrape" "true" }}
        {{- $given := .podAnnotations | default "{}" | fromYaml }}
        {{- include "ngrok-operator.strings" (list $root (include "ngrok-operator.merged" (list $given $scrape $root.Values.commonAnnotations) | fromJson)) | nindent 8 }}
    spec:
      serviceAccountName: {{ .serviceAccount | quote }}
      automountServiceAccountToken: true
      enableServiceLinks: false
      {{- with include "ngrok-operator.pullSecrets" $root }}{{ . | nindent 6 }}{{ end }}
      securityContext:
        {{- include "ngrok-operator.securityContext" $root.Values.podSecurityContext | nindent 8 }}
      {{- with include "ngrok-operator.affinity" (list $root .component) }}
      affinity:
        {{- . | nindent 8 }}
      {{- end }}
      {{- with $own.nodeSelector }}
      nodeSelector:
        {{- include "ngrok-operator.strings" (list $root .) | nindent 8 }}
      {{- end }}
      {{- with $own.tolerations }}
      tolerations:
        {{- include "ngrok-operator.render" (list $root .) | nindent 8 }}
      {{- end }}
      {{- with $own.topologySpreadConstraints }}
      topologySpreadConstraints:
        {{- include "ngrok-operator.render" (list $root .) | nindent 8 }}
      {{- end }}
      {{- with $own.priorityClassName }}
      priorityClassName: {{ . | quote }}
      {{- end }}
      {{- if include "ngrok-operator.said" $own.terminationGracePeriodSeconds }}
      terminationGracePeriodSeconds: {{ $own.terminationGracePeriodSeconds }}
      {{- end }}
      containers:
        - name: {{ .container }}
          image: {{ include "ngrok-operator.image" $root | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          command:
            - /usr/local/bin/node
            {{- with .flags }}{{ . | nindent 12 }}{{ end }}
            - /app/{{ .program }}.mjs
          args:
            {{- include "ngrok-operator.replicaArgs" . | nindent 12 }}
            {{- with .args }}{{ . | nindent 12 }}{{ end }}
          env:
            {{- with .env }}{{ . | nindent 12 }}{{ end }}
            - name: POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            # glibc keeps an arena for each thread otherwise, and gives none of it back.
            - name: MALLOC_ARENA_MAX
              value: "1"
            {{- with include "ngrok-operator.trustEnv" $root | trim }}{{ . | nindent 12 }}{{ end }}
            {{- with include "ngrok-operator.extraEnv" (list $root $root.Values.extraEnv) | trim }}{{ . | nindent 12 }}{{ end }}
          ports:
            - name: metrics
              containerPort: 8080
            - name: health
              containerPort: 8081
          livenessProbe:
            httpGet:
              path: /healthz
              port: health
            initialDelaySeconds: 15
            periodSeconds: 20
            timeoutSeconds: 5
          readinessProbe:
            httpGet:
              path: /readyz
              port: health
            periodSeconds: 3
            timeoutSeconds: 3
          securityContext:
            {{- include "ngrok-operator.securityContext" $root.Values.containerSecurityContext | nindent 12 }}
          resources:
            {{- include "ngrok-operator.podResources" $own.resources | nindent 12 }}
          {{- with $root.Values.lifecycle }}
          lifecycle:
            {{- include "ngrok-operator.render" (list $root .) | nindent 12 }}
          {{- end }}
          {{- with include "ngrok-operator.volumeMounts" $root }}{{ . | nindent 10 }}{{ end }}
      {{- with include "ngrok-operator.volumes" (list $root $root.Values.extraVolumes) }}{{ . | nindent 6 }}{{ end }}
{{- end -}}

{{- /* Flags that all of them have. */ -}}
{{- define "ngrok-operator.replicaArgs" -}}
{{- $root := .root -}}
- --release-name={{ $root.Release.Name }}
- --fullname={{ include "ngrok-operator.fullname" $root }}
{{- with $root.Values.description }}
- {{ printf "--description=%s" . | quote }}
{{- end }}
{{- with include "ngrok-operator.watchNamespace" $root }}
- --watch-namespace={{ . }}
{{- end }}
- --rbac-cluster={{ $root.Values.rbac.cluster }}
{{- if include "ngrok-operator.said" .own.terminationGracePeriodSeconds }}
- --termination-grace-seconds={{ .own.terminationGracePeriodSeconds }}
{{- end }}
- --zap-log-level={{ $root.Values.log.level }}
- --zap-stacktrace-level={{ $root.Values.log.stacktraceLevel }}
- --zap-encoder={{ $root.Values.log.format }}
- --health-probe-bind-address=:8081
- --metrics-bind-address=:8080
- --manager-name={{ include "ngrok-operator.named" (list $root .managerName) }}
{{- end -}}

{{- /* Their ServiceAccount: a dict of root, own, component and serviceAccount. */ -}}
{{- define "ngrok-operator.replicaServiceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .serviceAccount | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "ngrok-operator.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  {{- with include "ngrok-operator.annotations" (list .root .own.serviceAccount.annotations) }}{{ . | nindent 2 }}{{ end }}
# Pods ask for the token themselves.
automountServiceAccountToken: false
{{- end -}}

{{- /* Their PodDisruptionBudget, above one replica: a dict of root, suffix and component. */ -}}
{{- define "ngrok-operator.replicaBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "ngrok-operator.named" (list .root .suffix) }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "ngrok-operator.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  {{- with include "ngrok-operator.annotations" (list .root dict) }}{{ . | nindent 2 }}{{ end }}
spec:
  maxUnavailable: 1
  {{- /* While ngrok is out of reach none is ready, and a node must drain all the same. */}}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "ngrok-operator.selectorLabels" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- /* How their pods are replaced, as YAML: Kubernetes takes a text for a percentage, and Terraform makes one of a number. */ -}}
{{- define "ngrok-operator.strategy" -}}
{{- $strategy := include "ngrok-operator.merged" (list .) | fromJson -}}
{{- with $strategy.rollingUpdate -}}
{{- $counts := dict -}}
{{- range $key, $value := include "ngrok-operator.merged" (list .) | fromJson -}}
{{- $_ := set $counts $key (regexMatch "^(0|[1-9][0-9]*)$" (toString $value) | ternary (int64 $value) $value) -}}
{{- end -}}
{{- $_ := set $strategy "rollingUpdate" $counts -}}
{{- end -}}
{{- toYaml $strategy -}}
{{- end -}}
