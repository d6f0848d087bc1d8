{{/* For charts that have a Deployment of their own: under `initContainers`, `include "decision-sidecar.container" .` */}}
{{- define "decision-sidecar.container" -}}
- name: decision-sidecar
  image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  restartPolicy: Always
  args:
    - serve
    {{- if .Values.sdkKey }}
    - --sdk-key={{ .Values.sdkKey }}
    {{- else }}
    - --datafile=/etc/sidecar/datafile.json
    {{- end }}
    - --grpc-listen=unix:/run/sidecar/sidecar.sock
    - --grpc-listen=127.0.0.1:8013
    - --http-listen=0.0.0.0:8014
    - --data-dir=/data
    - --stop-delay={{ .Values.stopDelay }}
    {{- range .Values.extraArgs }}
    - {{ . | quote }}
    {{- end }}
  ports:
    - name: sidecar-http
      containerPort: 8014
  startupProbe:
    httpGet: { path: /readyz, port: sidecar-http }
    periodSeconds: 1
    failureThreshold: 60
  readinessProbe:
    httpGet: { path: /readyz, port: sidecar-http }
    periodSeconds: 5
  livenessProbe:
    httpGet: { path: /livez, port: sidecar-http }
    periodSeconds: 10
    failureThreshold: 3
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    runAsUser: 65532
    runAsGroup: 65532
    readOnlyRootFilesystem: true
    allowPrivilegeEscalation: false
    capabilities:
      drop: [ALL]
  volumeMounts:
    - { name: socket, mountPath: /run/sidecar }
    {{- if not .Values.sdkKey }}
    - { name: datafile, mountPath: /etc/sidecar, readOnly: true }
    {{- end }}
    - { name: outbox, mountPath: /data }
{{- end }}

{{/* As above, under `volumes`. */}}
{{- define "decision-sidecar.volumes" -}}
- name: socket
  emptyDir: {}
{{- if not .Values.sdkKey }}
- name: datafile
  configMap:
    name: {{ .Release.Name }}-datafile
{{- end }}
- name: outbox
  {{- if .Values.outbox.existingClaim }}
  persistentVolumeClaim:
    claimName: {{ .Values.outbox.existingClaim }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .Values.outbox.sizeLimit }}
  {{- end }}
{{- end }}
