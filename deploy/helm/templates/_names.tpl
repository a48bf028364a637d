{{- define "zonefan.labels" -}}
app.kubernetes.io/name: zonefan
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "zonefan.metadata" -}}
name: {{ .Release.Name }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "zonefan.labels" . | nindent 2 }}
{{- end }}
