{{- /* The pod of a hook. It must start on a bad day: same image and node rules as the operator, every Secret optional. */ -}}

{{- define "ngrok-operator.hookPod" -}}
restartPolicy: Never
# A node that is gone must not take Helm's whole timeout with it.
tolerations:
  - key: node.kubernetes.io/not-ready
    operator: Exists
    effect: NoExecute
    tolerationSeconds: 20
  - key: node.kubernetes.io/unreachable
    operator: Exists
    effect: NoExecute
    tolerationSeconds: 20
  {{- with concat (.Values.tolerations | default list) (.Values.cleanupHook.tolerations | default list) }}
  {{- include "ngrok-operator.render" (list $ .) | nindent 2 }}
  {{- end }}
terminationGracePeriodSeconds: 10
enableServiceLinks: false
automountServiceAccountToken: true
{{- with include "ngrok-operator.pullSecrets" . }}{{ . | nindent 0 }}{{ end }}
securityContext:
  {{- include "ngrok-operator.securityContext" .Values.podSecurityContext | nindent 2 }}
affinity:
  # Beside the operator, since the image is there already.
  podAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "ngrok-operator.selectorLabels" . | nindent 14 }}
              app.kubernetes.io/component: controller
  {{- with include "ngrok-operator.nodeAffinity" . }}
  nodeAffinity:
    {{- . | nindent 4 }}
  {{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- include "ngrok-operator.strings" (list $ .) | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with include "ngrok-operator.volumes" (list . (include "ngrok-operator.hookExtras" . | fromYaml).volumes) }}{{ . | nindent 0 }}{{ end }}
{{- end -}}

{{- /* extraEnv and extraVolumes as hooks have them, as YAML with `env` and `volumes`. */ -}}
{{- define "ngrok-operator.hookExtras" -}}
{{- $env := deepCopy (.Values.extraEnv | default dict) -}}
{{- range $env }}{{ if kindIs "map" . }}{{ include "ngrok-operator.makeOptional" .valueFrom }}{{ end }}{{ end -}}
{{- $volumes := deepCopy (.Values.extraVolumes | default list) -}}
{{- range $volumes -}}
{{- include "ngrok-operator.makeOptional" . -}}
{{- range (.projected).sources }}{{ include "ngrok-operator.makeOptional" . }}{{ end -}}
{{- end -}}
{{- toYaml (dict "env" $env "volumes" $volumes) -}}
{{- end -}}

{{- /* Writes into a map that what it refers to may be gone, unless that is said: the chart above this one deletes its own Secrets
       before a hook starts. */ -}}
{{- define "ngrok-operator.makeOptional" -}}
{{- $holder := . -}}
{{- range list "secretKeyRef" "configMapKeyRef" "secret" "configMap" -}}
{{- with get $holder . }}{{ if not (include "ngrok-operator.said" .optional) }}{{ $_ := set . "optional" true }}{{ end }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "ngrok-operator.hookContainer" -}}
image: {{ include "ngrok-operator.hookImage" . | quote }}
imagePullPolicy: {{ .Values.cleanupHook.image.pullPolicy | default .Values.image.pullPolicy }}
securityContext:
  {{- include "ngrok-operator.securityContext" .Values.containerSecurityContext | nindent 2 }}
resources:
  {{- include "ngrok-operator.hookResources" . | nindent 2 }}
{{- with include "ngrok-operator.volumeMounts" . }}{{ . | nindent 0 }}{{ end }}
{{- end -}}

{{- /* The Secret with the key as a post-delete hook finds it: the release's own is gone by then, the user's is not, unless it is
       a part of the same release by a chart above this one. */ -}}
{{- define "ngrok-operator.credentialsAfterwards" -}}
{{- if .Values.credentials.apiKey -}}
{{- include "ngrok-operator.named" (list . "cleanup") -}}
{{- else -}}
{{- include "ngrok-operator.credentials" . -}}
{{- end -}}
{{- end -}}

{{- /* Manifests as one hook, since Helm makes and records hooks one after another: (list name manifests). What their
     annotations say stands on the List for Helm, and still on each object for tools that take a List apart. */ -}}
{{- define "ngrok-operator.oneHook" }}
{{- $items := list }}
{{- range splitList "\n---\n" (index . 1) }}
{{- $items = append $items (fromYaml .) }}
{{- end }}
apiVersion: v1
kind: List
metadata:
  name: {{ index . 0 }}
  annotations:
    {{- toYaml (first $items).metadata.annotations | nindent 4 }}
items:
{{- range $items }}
  -
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}
