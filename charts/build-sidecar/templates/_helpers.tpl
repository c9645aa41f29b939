{{- define "build-sidecar.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "build-sidecar.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "build-sidecar.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "build-sidecar.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "build-sidecar.selectorLabels" -}}
app.kubernetes.io/name: {{ include "build-sidecar.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "build-sidecar.labels" -}}
{{ include "build-sidecar.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "build-sidecar.address" -}}
{{- if eq .Values.transport.type "unix" -}}
unix://{{ .Values.transport.socketDirectory }}/buildkitd.sock
{{- else -}}
tcp://127.0.0.1:{{ int .Values.transport.port }}
{{- end }}
{{- end }}

{{- /* Expects: address, probe. */}}
{{- define "build-sidecar.probe" -}}
exec:
  command: [buildctl, --addr, {{ .address | quote }}, debug, workers]
{{ toYaml (omit .probe "enabled") }}
{{- end }}
