{{- define "build-standalone.builder" -}}
{{- $values := .Values }}
{{- $socket := include "build-standalone.socket" . }}
{{- with $values.builder }}
- name: buildkitd
  image: {{ .image | quote }}
  imagePullPolicy: {{ .imagePullPolicy }}
  {{- with .command }}
  command:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  args:
    # For the kubelet's probes and for `kubectl exec`: neither has a certificate.
    - --addr
    - {{ $socket | quote }}
    - --addr
    - {{ printf "tcp://0.0.0.0:%d" (int $values.service.port) | quote }}
    {{- if $values.tls.enabled }}
    - --tlscacert
    - /etc/buildkit/tls/ca.crt
    - --tlscert
    - /etc/buildkit/tls/tls.crt
    - --tlskey
    - /etc/buildkit/tls/tls.key
    {{- end }}
    - --config
    - /etc/buildkit/config/buildkitd.toml
    # Said even where it is the default: a volume at another place than the state goes unnoticed.
    - --root
    - {{ .stateDirectory | quote }}
    {{- with .args }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  env:
    - name: BUILDKIT_HOST
      value: {{ $socket | quote }}
    {{- with .env }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - name: buildkit
      containerPort: {{ int $values.service.port }}
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
    {{- include "build-standalone.probe" (dict "address" $socket "probe" .startupProbe) | nindent 4 }}
  {{- end }}
  {{- if .readinessProbe.enabled }}
  readinessProbe:
    {{- include "build-standalone.probe" (dict "address" $socket "probe" .readinessProbe) | nindent 4 }}
  {{- end }}
  {{- if .livenessProbe.enabled }}
  livenessProbe:
    {{- include "build-standalone.probe" (dict "address" $socket "probe" .livenessProbe) | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: state
      mountPath: {{ .stateDirectory }}
    - name: config
      mountPath: /etc/buildkit/config
      readOnly: true
    - name: socket
      mountPath: {{ $values.socketDirectory }}
    {{- if $values.tls.enabled }}
    - name: tls
      mountPath: /etc/buildkit/tls
      readOnly: true
    {{- end }}
    {{- range $path := .files | keys | sortAlpha }}
    - name: config
      mountPath: {{ $path }}
      subPath: {{ $path | sha256sum | trunc 16 }}
      readOnly: true
    {{- end }}
    {{- with .volumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
