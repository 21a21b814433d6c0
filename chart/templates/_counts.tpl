{{- /* What drainPolicy=Delete would take, for NOTES.txt: as the operator's leader has counted it, since a list of all that there
       is would be Helm's to hold. Empty where there is nothing, where nobody has counted, and where no cluster is seen. */ -}}
{{- define "ngrok-operator.wouldDelete" -}}
{{- if .Capabilities.APIVersions.Has "ngrok.k8s.ngrok.com/v1alpha1/KubernetesOperator" -}}
{{- $operator := lookup "ngrok.k8s.ngrok.com/v1alpha1" "KubernetesOperator" .Release.Namespace .Release.Name -}}
{{- $counted := ($operator.status).underDelete | default dict -}}
{{- $said := list -}}
{{- range $kind, $count := $counted.deleted -}}
{{- $said = append $said (printf "%d %s" (int $count) $kind) -}}
{{- end -}}
{{- join ", " $said -}}
{{- with $counted.domainsKept | default 0 | int -}}{{- printf " (%d of the Domains at ngrok stay reserved)" . -}}{{- end -}}
{{- end -}}
{{- end -}}
