{{- define "tagstream.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 40 characters: a StatefulSet's Pods, their revisions and volumes add to it. */}}
{{- define "tagstream.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "tagstream.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "tagstream.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tagstream.selector" -}}
app.kubernetes.io/name: {{ include "tagstream.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tagstream.labels" -}}
{{ include "tagstream.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "tagstream.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tagstream.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "tagstream.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- if and .Values.gpu.enabled (not .Values.image.tag) -}}
{{- $tag = printf "%s-cuda" $tag -}}
{{- end -}}
{{- printf "%s:%s" .Values.image.repository $tag -}}
{{- end -}}

{{/* A value as Tagstream reads it: Helm turns whole numbers into floating-point ones. */}}
{{- define "tagstream.scalar" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* The configuration as JSON: every key with its value as text, with what the chart adds. */}}
{{- define "tagstream.configuration" -}}
{{- $all := dict -}}
{{- range $key, $value := .Values.configuration -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $all $key (include "tagstream.scalar" $value) -}}
{{- end -}}
{{- end -}}
{{- range tuple "bootstrap.servers" "schema.registry.url" -}}
{{- if not (get $all .) -}}
{{- fail (printf "configuration: %s is required" .) -}}
{{- end -}}
{{- end -}}
{{- if hasKey $all "kafka.application.server" -}}
{{- fail "configuration: the chart sets kafka.application.server itself" -}}
{{- end -}}
{{- if and .Values.gpu.enabled (not (hasKey $all "model.execution.provider")) -}}
{{- $_ := set $all "model.execution.provider" "cuda" -}}
{{- end -}}
{{- if and .Values.strimzi.topics.enabled (not (hasKey $all "topics.create")) -}}
{{- $_ := set $all "topics.create" "false" -}}
{{- end -}}
{{- toJson $all -}}
{{- end -}}

{{/* A value of the configuration, or the default: dict "root" . "key" KEY "default" TEXT */}}
{{- define "tagstream.setting" -}}
{{- $all := include "tagstream.configuration" .root | fromJson -}}
{{- default .default (get $all .key) -}}
{{- end -}}

{{/* Whether others may keep copies of an instance's state: "true" or nothing. */}}
{{- define "tagstream.copies" -}}
{{- $standby := include "tagstream.setting" (dict "root" . "key" "standby.replicas" "default" "1") -}}
{{- if and (ne $standby "0") (or .Values.keda.enabled (gt (int .Values.replicas) 1)) (gt (int .Values.waitForCopiesSeconds) 0) -}}
true
{{- end -}}
{{- end -}}

{{/* The annotations of a Pod: what changes with the configuration and the Secrets. */}}
{{- define "tagstream.podAnnotations" -}}
checksum/configuration: {{ print (include "tagstream.configuration" .) (.Files.Get "files/wait-for-copies") | sha256sum }}
{{- if .Values.secrets.roll }}
{{- $names := list }}
{{- range concat .Values.secrets.environment .Values.secrets.files }}
{{- $names = append $names .name }}
{{- end }}
{{- if .Values.index.authorization.secret }}
{{- $names = append $names .Values.index.authorization.secret }}
{{- end }}
{{- $found := dict }}
{{- range $names | uniq | sortAlpha }}
{{- $_ := set $found . (default dict (lookup "v1" "Secret" $.Release.Namespace .).data) }}
{{- end }}
{{- if $names }}
checksum/secrets: {{ toJson $found | sha256sum }}
{{- end }}
{{- end }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The fields of a Pod that both workloads share. */}}
{{- define "tagstream.podFields" -}}
serviceAccountName: {{ include "tagstream.serviceAccount" . }}
automountServiceAccountToken: false
# The variables of a Service named tagstream would be read as settings.
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraInitContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* dict "root" . "component" NAME */}}
{{- define "tagstream.spread" -}}
{{- with .root.Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  {{- $selector := dict "matchLabels" (set (include "tagstream.selector" $.root | fromYaml) "app.kubernetes.io/component" $.component) }}
  - {{ merge (dict) . (ternary dict (dict "labelSelector" $selector) (hasKey . "labelSelector")) | toYaml | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "tagstream.containerFields" -}}
image: {{ include "tagstream.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
ports:
  - name: http
    containerPort: 8080
startupProbe:
  httpGet:
    path: /health/live
    port: http
  {{- $wait := include "tagstream.setting" (dict "root" . "key" "start.wait.ms" "default" "60000") | int64 }}
  {{- $threshold := div (add (div $wait 1000) 120) .Values.probes.startup.periodSeconds }}
  {{- merge (dict) .Values.probes.startup (dict "failureThreshold" $threshold) | toYaml | nindent 2 }}
livenessProbe:
  httpGet:
    path: /health/live
    port: http
  {{- toYaml .Values.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet:
    path: /health/ready
    port: http
  {{- toYaml .Values.probes.readiness | nindent 2 }}
{{- end -}}

{{- define "tagstream.envFrom" -}}
{{- with .Values.secrets.environment }}
envFrom:
  {{- range . }}
  - secretRef:
      name: {{ .name }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "tagstream.volumeMounts" -}}
- name: configuration
  mountPath: /etc/tagstream
  readOnly: true
- name: temporary
  mountPath: /tmp
{{- range $i, $secret := .Values.secrets.files }}
- name: secret-{{ $i }}
  mountPath: {{ $secret.mountPath }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tagstream.volumes" -}}
- name: configuration
  configMap:
    name: {{ include "tagstream.fullname" . }}
- name: temporary
  emptyDir:
    sizeLimit: {{ .Values.temporary.size }}
{{- range $i, $secret := .Values.secrets.files }}
- name: secret-{{ $i }}
  secret:
    secretName: {{ $secret.name }}
    defaultMode: 0440
    {{- with $secret.items }}
    items:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A topic's name: dict "root" . "key" KEY */}}
{{- define "tagstream.topic" -}}
{{- $topics := .root.Files.Get "files/topics.yaml" | fromYaml -}}
{{- include "tagstream.setting" (dict "root" .root "key" .key "default" (get $topics .key).name) -}}
{{- end -}}

{{- define "tagstream.strimziMetadata" -}}
namespace: {{ default .Release.Namespace .Values.strimzi.namespace }}
labels:
  {{- include "tagstream.labels" . | nindent 2 }}
  strimzi.io/cluster: {{ required "strimzi.cluster is required" .Values.strimzi.cluster }}
{{- end -}}
