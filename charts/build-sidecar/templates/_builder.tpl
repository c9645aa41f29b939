{{- define "build-sidecar.builder" -}}
{{- $values := .Values }}
{{- $address := include "build-sidecar.address" . }}
{{- with $values.builder }}
- name: buildkitd
  image: {{ .image | quote }}
  imagePullPolicy: {{ .imagePullPolicy }}
  {{- with .command }}
  command:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  args:
    - --addr
    - {{ $address | quote }}
    - --config
    - /etc/buildkit/buildkitd.toml
    # Said even where it is the default: a volume at another place than the state goes unnoticed.
    - --root
    - {{ .stateDirectory | quote }}
    {{- if and (not (kindIs "invalid" .socketGroup)) (eq $values.transport.type "unix") }}
    - --group
    - {{ int .socketGroup | quote }}
    {{- end }}
    {{- with .args }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .env }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .startupProbe.enabled }}
  startupProbe:
    {{- include "build-sidecar.probe" (dict "address" $address "probe" .startupProbe) | nindent 4 }}
  {{- end }}
  {{- if .readinessProbe.enabled }}
  readinessProbe:
    {{- include "build-sidecar.probe" (dict "address" $address "probe" .readinessProbe) | nindent 4 }}
  {{- end }}
  {{- if .livenessProbe.enabled }}
  livenessProbe:
    {{- include "build-sidecar.probe" (dict "address" $address "probe" .livenessProbe) | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: state
      mountPath: {{ .stateDirectory }}
    - name: config
      mountPath: /etc/buildkit
      readOnly: true
    {{- if eq $values.transport.type "unix" }}
    - name: socket
      mountPath: {{ $values.transport.socketDirectory }}
    {{- end }}
    {{- range $index, $path := .scratchDirectories }}
    - name: scratch-{{ $index }}
      mountPath: {{ $path }}
    {{- end }}
    {{- with .volumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
