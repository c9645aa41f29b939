{{- define "build-sidecar.initContainers" -}}
{{- $values := .Values }}
{{- if eq $values.volumePreparation.method "initContainer" }}
- name: volumes-init
  image: {{ $values.builder.image | quote }}
  imagePullPolicy: {{ $values.builder.imagePullPolicy }}
  command:
    - /bin/sh
    - -c
    # chmod comes before chown: whoever may not override ownership cannot change the mode of what it gave away.
    # What has its owner already was prepared before this container was started once more.
    - |
      set -eu
      prepare() {
        {{- if eq $values.volumePreparation.order "chmodFirst" }}
        [ "$(stat -c %u:%g "$1")" != "$3" ] || return 0
        chmod "$2" "$1"
        chown "$3" "$1"
        {{- else }}
        chown "$3" "$1"
        chmod "$2" "$1"
        {{- end }}
      }
      prepare /volumes/state 0700 {{ $values.volumePreparation.owner }}
      {{- if eq $values.transport.type "unix" }}
      prepare /volumes/socket 0755 {{ $values.volumePreparation.owner }}
      {{- end }}
      {{- if $values.buildctlInit.enabled }}
      {{- with $values.buildctlInit.securityContext }}
      prepare /volumes/tools 0755 {{ int64 .runAsUser }}:{{ int64 .runAsGroup }}
      {{- end }}
      {{- end }}
  securityContext:
    {{- toYaml $values.volumePreparation.securityContext | nindent 4 }}
  {{- with $values.volumePreparation.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  # Not where the builder mounts them: the folders above may be closed to this user.
  volumeMounts:
    - name: state
      mountPath: /volumes/state
    {{- if eq $values.transport.type "unix" }}
    - name: socket
      mountPath: /volumes/socket
    {{- end }}
    {{- if $values.buildctlInit.enabled }}
    - name: tools
      mountPath: /volumes/tools
    {{- end }}
{{- end }}
{{- if $values.buildctlInit.enabled }}
- name: buildctl-init
  image: {{ $values.builder.image | quote }}
  imagePullPolicy: {{ $values.builder.imagePullPolicy }}
  command:
    - /bin/sh
    - -c
    - cp "$(command -v buildctl)" /volumes/tools/buildctl
  securityContext:
    {{- toYaml $values.buildctlInit.securityContext | nindent 4 }}
  {{- with $values.buildctlInit.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: tools
      mountPath: /volumes/tools
{{- end }}
{{- end }}
