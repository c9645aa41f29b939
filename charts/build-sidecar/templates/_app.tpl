{{- define "build-sidecar.app" -}}
{{- $values := .Values }}
{{- with $values.app }}
- name: app
  image: {{ .image | quote }}
  imagePullPolicy: {{ .imagePullPolicy }}
  {{- with .command }}
  command:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .args }}
  args:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  workingDir: {{ .workspace }}
  env:
    - name: BUILDKIT_HOST
      value: {{ include "build-sidecar.address" $ | quote }}
    - name: HOME
      value: {{ .workspace | quote }}
    {{- with .env }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  securityContext:
    {{- toYaml .securityContext | nindent 4 }}
  {{- with .resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: workspace
      mountPath: {{ .workspace }}
    {{- if eq $values.transport.type "unix" }}
    - name: socket
      mountPath: {{ $values.transport.socketDirectory }}
    {{- end }}
    {{- if $values.buildctlInit.enabled }}
    - name: tools
      mountPath: {{ $values.buildctlInit.mountPath }}
      subPath: buildctl
      readOnly: true
    {{- end }}
    {{- with .volumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
