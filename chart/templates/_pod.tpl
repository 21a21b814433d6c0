{{- /* What all pods of the chart share, hooks included, so that a hook starts wherever the operator does. */ -}}

{{- /* Whether a repository names its registry itself, as container tools read it. */ -}}
{{- define "ngrok-operator.isFull" -}}
{{- if regexMatch "^(localhost|[^/]*[.:][^/]*)/" . -}}true{{- end -}}
{{- end -}}

{{- /* (list $ image): registry/repository, with the digest if there is one. The chart's own registry is not said by anybody. */ -}}
{{- define "ngrok-operator.imageRef" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $own := ternary "" $image.registry (and (eq $image.registry "docker.io") (include "ngrok-operator.isFull" $image.repository | eq "true")) -}}
{{- $registry := (($root.Values.global).imageRegistry) | default $own -}}
{{- $name := ternary $image.repository (printf "%s/%s" $registry $image.repository) (empty $registry) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name ($image.tag | default $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "ngrok-operator.image" -}}
{{- include "ngrok-operator.imageRef" (list . .Values.image) -}}
{{- end -}}

{{- /* Older charts ran kubectl in the hook; such a repository holds none of our programs. */ -}}
{{- define "ngrok-operator.kubectlImage" -}}
{{- if regexMatch "(^|/)[^/]*kubectl[^/]*$" (.Values.cleanupHook.image.repository | default "") -}}true{{- end -}}
{{- end -}}

{{- /* Whether the hooks run an image of their own. */ -}}
{{- define "ngrok-operator.hasHookImage" -}}
{{- if and .Values.cleanupHook.image.repository (not (include "ngrok-operator.kubectlImage" .)) -}}true{{- end -}}
{{- end -}}

{{- define "ngrok-operator.hookImage" -}}
{{- $own := .Values.cleanupHook.image -}}
{{- if include "ngrok-operator.hasHookImage" . -}}
{{- $shared := ternary "" .Values.image.registry (include "ngrok-operator.isFull" $own.repository | eq "true") -}}
{{- include "ngrok-operator.imageRef" (list . (merge (dict "registry" ($own.registry | default $shared)) $own)) -}}
{{- else -}}
{{- include "ngrok-operator.image" . -}}
{{- end -}}
{{- end -}}

{{- define "ngrok-operator.pullSecrets" -}}
{{- $names := list -}}
{{- range concat (((.Values.global).imagePullSecrets) | default list) (.Values.image.pullSecrets | default list) -}}
{{- if kindIs "map" . }}{{ $names = append $names .name }}{{ else }}{{ $names = append $names . }}{{ end -}}
{{- end -}}
{{- with uniq $names -}}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* The way out: proxies, one more certificate authority, and rootCAs=host. NODE_EXTRA_CA_CERTS adds to the built-in ones. */ -}}
{{- define "ngrok-operator.trustEnv" -}}
{{- range $name, $key := dict "HTTPS_PROXY" "httpsProxy" "HTTP_PROXY" "httpProxy" "NO_PROXY" "noProxy" }}
{{- with get ($.Values.proxy | default dict) $key }}
- name: {{ $name }}
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if or .Values.extraCA.secretName .Values.extraCA.configMapName }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/ssl/certs/ngrok/{{ .Values.extraCA.key }}
{{- end }}
{{- if eq .Values.rootCAs "host" }}
- name: NODE_USE_SYSTEM_CA
  value: "1"
{{- end }}
{{- end -}}

{{- /* `extraEnv` as entries of `env`: (list $ map). */ -}}
{{- define "ngrok-operator.extraEnv" -}}
{{- $root := index . 0 -}}
{{- range $name, $value := index . 1 }}
{{- if not (kindIs "invalid" $value) }}
- name: {{ $name | quote }}
  {{- if kindIs "map" $value }}
  {{- include "ngrok-operator.render" (list $root $value) | nindent 2 }}
  {{- else }}
  value: {{ include "ngrok-operator.text" (list $root $value) | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /*
`volumes:` with these of `extraVolumes`: (list $ list). The authority is optional, since a Secret that is gone must not keep a
hook from starting on uninstall day. Of its keys the one is mounted: cert-manager puts a private key beside it, which is
nothing to trust.
*/ -}}
{{- define "ngrok-operator.volumes" -}}
{{- $root := index . 0 -}}
{{- $extra := index . 1 -}}
{{- with $root }}
{{- if or $extra .Values.extraCA.secretName .Values.extraCA.configMapName -}}
volumes:
  {{- if .Values.extraCA.secretName }}
  - name: extra-ca
    secret:
      secretName: {{ .Values.extraCA.secretName | quote }}
      items:
        - key: {{ .Values.extraCA.key | quote }}
          path: {{ .Values.extraCA.key | quote }}
      optional: true
  {{- else if .Values.extraCA.configMapName }}
  - name: extra-ca
    configMap:
      name: {{ .Values.extraCA.configMapName | quote }}
      items:
        - key: {{ .Values.extraCA.key | quote }}
          path: {{ .Values.extraCA.key | quote }}
      optional: true
  {{- end }}
  {{- with $extra }}
  {{- include "ngrok-operator.render" (list $root .) | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "ngrok-operator.volumeMounts" -}}
{{- if or .Values.extraVolumeMounts .Values.extraCA.secretName .Values.extraCA.configMapName -}}
volumeMounts:
  {{- if or .Values.extraCA.secretName .Values.extraCA.configMapName }}
  - name: extra-ca
    mountPath: /etc/ssl/certs/ngrok
    readOnly: true
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- include "ngrok-operator.render" (list $ .) | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* Requests and limits as YAML, without what is null, which an API server would take for zero: (list given cpu memory), the last
       two being our requests. A half of ours is there where nobody says it, be it by null, nor the other half: ours beside
       theirs may be more than their limit, which the API server refuses, for a hook on uninstall day. */ -}}
{{- define "ngrok-operator.resources" -}}
{{- $given := index . 0 | default dict -}}
{{- $said := dict -}}
{{- range $part, $value := $given -}}
{{- if kindIs "map" $value -}}{{- $value = include "ngrok-operator.merged" (list $value) | fromJson -}}{{- end -}}
{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $said $part $value -}}{{- end -}}
{{- end -}}
{{- $ours := dict "requests" (dict "cpu" (index . 1) "memory" (index . 2)) "limits" (dict "cpu" "2" "memory" "512Mi") -}}
{{- $all := deepCopy $said -}}
{{- range $part, $other := dict "requests" "limits" "limits" "requests" -}}
{{- if not (and (hasKey $given $part) (kindIs "invalid" (get $given $part))) -}}
{{- range $name, $quantity := get $ours $part -}}
{{- if not (or (hasKey (get $given $part | default dict) $name) (hasKey (get $said $other | default dict) $name)) -}}
{{- $_ := set $all $part (set (get $all $part | default dict) $name $quantity) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{- define "ngrok-operator.hookResources" -}}
{{- include "ngrok-operator.resources" (list .Values.cleanupHook.resources "50m" "96Mi") -}}
{{- end -}}

{{- define "ngrok-operator.podResources" -}}
{{- include "ngrok-operator.resources" (list . "100m" "128Mi") -}}
{{- end -}}

{{- /* The security context of a pod or a container, as YAML: Kubernetes refuses a text, which Terraform and Flux make of a number.
       Without the ids that say nothing: Helm 4 overlooks a null of the chart above, which writes an empty text. */ -}}
{{- define "ngrok-operator.securityContext" -}}
{{- $digits := "^(0|[1-9][0-9]*)$" -}}
{{- $context := dict -}}
{{- range $key, $value := . -}}
{{- if has $key (list "runAsUser" "runAsGroup" "fsGroup") -}}
{{- if not (include "ngrok-operator.said" $value) -}}{{- continue -}}{{- end -}}
{{- if and (kindIs "string" $value) (regexMatch $digits $value) -}}{{- $value = int64 $value -}}{{- end -}}
{{- else if eq $key "supplementalGroups" -}}
{{- $groups := list -}}
{{- range $value -}}{{- $groups = append $groups (regexMatch $digits (toString .) | ternary (int64 .) .) -}}{{- end -}}
{{- $value = $groups -}}
{{- end -}}
{{- $_ := set $context $key $value -}}
{{- end -}}
{{- toYaml $context -}}
{{- end -}}

{{- /* nodeAffinity as `affinity` or the preset says. */ -}}
{{- define "ngrok-operator.nodeAffinity" -}}
{{- $preset := .Values.nodeAffinityPreset | default dict -}}
{{- if (.Values.affinity).nodeAffinity -}}
{{- include "ngrok-operator.render" (list . .Values.affinity.nodeAffinity) -}}
{{- else if and (not .Values.affinity) $preset.type $preset.key -}}
{{- $terms := dict "matchExpressions" (list (ternary (dict "key" $preset.key "operator" "Exists") (dict "key" $preset.key "operator" "In" "values" $preset.values) (empty $preset.values))) -}}
{{- if eq $preset.type "hard" -}}
{{- toYaml (dict "requiredDuringSchedulingIgnoredDuringExecution" (dict "nodeSelectorTerms" (list $terms))) -}}
{{- else -}}
{{- toYaml (dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 1 "preference" $terms))) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* podAffinity or podAntiAffinity of one component: (list $ preset component). */ -}}
{{- define "ngrok-operator.podAffinity" -}}
{{- $labels := merge (dict "app.kubernetes.io/component" (index . 2)) (include "ngrok-operator.selectorLabels" (index . 0) | fromYaml) -}}
{{- $term := dict "labelSelector" (dict "matchLabels" $labels) "topologyKey" "kubernetes.io/hostname" -}}
{{- if eq (index . 1) "hard" -}}
{{- toYaml (dict "requiredDuringSchedulingIgnoredDuringExecution" (list $term)) -}}
{{- else -}}
{{- toYaml (dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 1 "podAffinityTerm" $term))) -}}
{{- end -}}
{{- end -}}

{{- /* Affinity of a Deployment: (list $ component). */ -}}
{{- define "ngrok-operator.affinity" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- if $root.Values.affinity -}}
{{- include "ngrok-operator.render" (list $root $root.Values.affinity) -}}
{{- else -}}
{{- $parts := dict -}}
{{- with include "ngrok-operator.nodeAffinity" $root -}}{{- $_ := set $parts "nodeAffinity" (fromYaml .) -}}{{- end -}}
{{- with $root.Values.podAffinityPreset -}}
{{- $_ := set $parts "podAffinity" (include "ngrok-operator.podAffinity" (list $root . $component) | fromYaml) -}}
{{- end -}}
{{- with $root.Values.podAntiAffinityPreset -}}
{{- $_ := set $parts "podAntiAffinity" (include "ngrok-operator.podAffinity" (list $root . $component) | fromYaml) -}}
{{- end -}}
{{- if $parts -}}{{- toYaml $parts -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- /* `k=v,k=v`, the form of map flags. */ -}}
{{- define "ngrok-operator.pairs" -}}
{{- $pairs := list -}}
{{- range $key, $value := . -}}{{- if kindIs "invalid" $value -}}{{- continue -}}{{- end -}}{{- $pairs = append $pairs (printf "%s=%s" $key (kindIs "string" $value | ternary $value (toJson $value))) -}}{{- end -}}
{{- join "," $pairs -}}
{{- end -}}
