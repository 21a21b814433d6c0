{{- /* How the forwarder's process is to keep its memory, of which a silent connection takes most: docs/decisions/bindings-forwarder.md. */ -}}

{{- /* Of Node. */ -}}
{{- define "ngrok-operator.forwarderFlags" -}}
- --max-semi-space-size=1
{{- end -}}

{{- define "ngrok-operator.forwarderEnv" -}}
# glibc gives back at once what is larger: what handshakes take, and not the 16 KiB and a little of each TLS record.
- name: MALLOC_MMAP_THRESHOLD_
  value: "18432"
{{- end -}}
