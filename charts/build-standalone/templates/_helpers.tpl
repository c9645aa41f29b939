{{- define "build-standalone.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* Shorter than a name may be: objects add a suffix to it, a StatefulSet's pods a number. */}}
{{- define "build-standalone.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "build-standalone.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "build-standalone.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "build-standalone.selectorLabels" -}}
app.kubernetes.io/name: {{ include "build-standalone.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "build-standalone.labels" -}}
{{ include "build-standalone.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "build-standalone.headless" -}}
{{ include "build-standalone.fullname" . }}-pods
{{- end }}

{{- define "build-standalone.host" -}}
{{ include "build-standalone.fullname" . }}.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- end }}

{{- define "build-standalone.socket" -}}
unix://{{ .Values.socketDirectory }}/buildkitd.sock
{{- end }}

{{- define "build-standalone.serverSecret" -}}
{{- if .Values.tls.secretName }}
{{- .Values.tls.secretName }}
{{- else if .Values.certManager.enabled }}
{{- include "build-standalone.fullname" . }}-server-tls
{{- else }}
{{- fail "tls.secretName: name a Secret with ca.crt, tls.crt and tls.key, or set certManager.enabled. A daemon without TLS (tls.enabled: false) builds for everybody who reaches its port." }}
{{- end }}
{{- end }}

{{- /* Expects: address, probe. */}}
{{- define "build-standalone.probe" -}}
exec:
  command: [buildctl, --addr, {{ .address | quote }}, debug, workers]
{{ toYaml (omit .probe "enabled") }}
{{- end }}
