{{- define "latchkey.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "latchkey.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "latchkey.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "latchkey.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "latchkey.selectorLabels" -}}
app.kubernetes.io/name: {{ include "latchkey.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* A value as text. Numbers reach a template as floats: 1000000 would be printed as 1e+06. */}}
{{- define "latchkey.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ toString . }}{{ end }}
{{- end }}

{{- /* Labels or annotations, which are text: `true` and `8080` are given their quotes. */}}
{{- define "latchkey.texts" -}}
{{- $texts := dict }}
{{- range $name, $value := . }}
{{- $_ := set $texts $name (include "latchkey.text" $value) }}
{{- end }}
{{- toYaml $texts }}
{{- end }}

{{- define "latchkey.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "latchkey.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.extraLabels }}
{{ include "latchkey.texts" . }}
{{- end }}
{{- end }}

{{- define "latchkey.serviceAccountName" -}}
{{- with .Values.deployment.serviceAccount }}
{{- .name | default (.create | ternary (include "latchkey.fullname" $) "default") }}
{{- end }}
{{- end }}

{{- define "latchkey.proxyServiceName" -}}
{{- .Values.proxy.nameOverride | default (printf "%s-proxy" (include "latchkey.fullname" .)) }}
{{- end }}

{{- /* Flags that `ingressController.env` may set; whatever else Kong's controller takes is ignored. */}}
{{- define "latchkey.environmentFlags" -}}
ingress_class watch_namespace publish_service publish_status_address update_status emit_kubernetes_events
election_id election_namespace apiserver_qps apiserver_burst proxy_listen https_listen default_certificate
cluster_domain key_expiry_warning
client_header_timeout_ms client_request_timeout_ms client_idle_timeout_ms client_header_bytes metrics_per_consumer
credential_last_used credential_last_used_interval proxy_access_log proxy_access_log_query
client_max_body_size client_uri_bytes client_header_count max_connections max_tunnels recheck_tunnels reuse_port
upstream_keepalive_pool_size upstream_keepalive_max_requests upstream_keepalive_idle_timeout
trusted_ips real_ip_header real_ip_recursive port_maps headers headers_upstream allow_debug_header
encoded_slash odd_path_characters merge_slashes
admin_listen admin_writes status_listen workers worker_hang_timeout_ms drain_delay_ms drain_timeout_ms log_level log_format
{{- end }}

{{- /* The value of a flag in `ingressController.env`, empty when it is not there or comes from elsewhere. */}}
{{- define "latchkey.environmentFlag" -}}
{{- $value := get .context.Values.ingressController.env .flag }}
{{- if not (or (kindIs "map" $value) (kindIs "invalid" $value)) }}{{ $value }}{{ end }}
{{- end }}

{{- define "latchkey.ingressClass" -}}
{{- include "latchkey.environmentFlag" (dict "context" . "flag" "ingress_class") | default .Values.ingressController.ingressClass }}
{{- end }}

{{- define "latchkey.electionId" -}}
{{- include "latchkey.environmentFlag" (dict "context" . "flag" "election_id") | default (printf "latchkey-leader-%s" (include "latchkey.ingressClass" .)) }}
{{- end }}

{{- define "latchkey.electionNamespace" -}}
{{- include "latchkey.environmentFlag" (dict "context" . "flag" "election_namespace") | default .Release.Namespace }}
{{- end }}

{{- /* namespace/name of the Service whose addresses the Ingresses get; empty without one. */}}
{{- define "latchkey.publishService" -}}
{{- $own := .Values.proxy.enabled | ternary (printf "%s/%s" .Release.Namespace (include "latchkey.proxyServiceName" .)) "" }}
{{- include "latchkey.environmentFlag" (dict "context" . "flag" "publish_service") | default $own }}
{{- end }}

{{- /* Threads that serve: the cpu limit, rounded up; 2 without one. */}}
{{- define "latchkey.workers" -}}
{{- $limit := dig "limits" "cpu" "" .Values.resources | toString }}
{{- if .Values.workers }}
{{- .Values.workers }}
{{- else if hasSuffix "m" $limit }}
{{- divf (trimSuffix "m" $limit | float64) 1000 | ceil | int | max 1 }}
{{- else if $limit }}
{{- $limit | float64 | ceil | int | max 1 }}
{{- else -}}
2
{{- end }}
{{- end }}

{{- /* Kubernetes kills after the grace period: the drain must be over by then, with 5 s to spare. */}}
{{- define "latchkey.drainTimeoutMs" -}}
{{- $left := sub (mul (sub (int .Values.terminationGracePeriodSeconds) 5) 1000) (int .Values.drain.delayMs) }}
{{- if kindIs "invalid" .Values.drain.timeoutMs }}
{{- if lt $left 0 }}
{{- fail (printf "terminationGracePeriodSeconds %v leaves no time to drain: it must be 5 s more than drain.delayMs %v" .Values.terminationGracePeriodSeconds .Values.drain.delayMs) }}
{{- end }}
{{- $left }}
{{- else }}
{{- if lt $left (int64 .Values.drain.timeoutMs) }}
{{- fail (printf "terminationGracePeriodSeconds %v is too short: drain.delayMs %v and drain.timeoutMs %v take longer, with 5 s to spare" .Values.terminationGracePeriodSeconds .Values.drain.delayMs .Values.drain.timeoutMs) }}
{{- end }}
{{- int64 .Values.drain.timeoutMs }}
{{- end }}
{{- end }}

{{- /* Clients come to the Service's ports; upstreams are told those. */}}
{{- define "latchkey.portMaps" -}}
{{- with .Values.proxy }}
{{- if .enabled }}
{{- printf "%v:%v" (int .http.servicePort) (int .http.containerPort) }}
{{- if .tls.enabled }},{{ printf "%v:%v" (int .tls.servicePort) (int .tls.containerPort) }}{{ end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "latchkey.args" -}}
{{- $flags := dict
  "ingress_class" .Values.ingressController.ingressClass
  "watch_namespace" (join "," .Values.ingressController.watchNamespaces)
  "publish_service" (include "latchkey.publishService" .)
  "update_status" "true"
  "emit_kubernetes_events" "true"
  "election_id" (include "latchkey.electionId" .)
  "election_namespace" .Release.Namespace
  "proxy_listen" (printf "0.0.0.0:%v" (int .Values.proxy.http.containerPort))
  "https_listen" (.Values.proxy.tls.enabled | ternary (printf "0.0.0.0:%v" (int .Values.proxy.tls.containerPort)) "off")
  "port_maps" (include "latchkey.portMaps" .)
  "admin_listen" (.Values.adminApi.enabled | ternary "127.0.0.1:8001" "off")
  "admin_writes" (toString .Values.adminApi.writes)
  "status_listen" (printf "0.0.0.0:%v" (int .Values.status.http.containerPort))
  "workers" (include "latchkey.workers" .)
  "drain_delay_ms" (int .Values.drain.delayMs)
  "drain_timeout_ms" (include "latchkey.drainTimeoutMs" .)
  "log_level" .Values.log.level
  "log_format" .Values.log.format
-}}
- run
{{- range $name := splitList " " (include "latchkey.environmentFlags" . | replace "\n" " ") }}
{{- $value := get $flags $name | toString }}
{{- if and $value (not (hasKey $.Values.ingressController.env $name)) }}
- {{ printf "--%s=%s" (replace "_" "-" $name) $value | quote }}
{{- end }}
{{- end }}
{{- range .Values.ingressController.args }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{- /* An environment variable: .name and .value, which is text, a number, a boolean or an object with valueFrom. */}}
{{- define "latchkey.environmentVariable" -}}
- name: {{ .name }}
{{- if kindIs "map" .value }}
{{- toYaml .value | nindent 2 }}
{{- else }}
  value: {{ include "latchkey.text" .value | quote }}
{{- end }}
{{- end }}

{{- define "latchkey.probe" -}}
httpGet:
  path: {{ .path }}
  port: status
  scheme: HTTP
{{ toYaml (omit .timing "httpGet") }}
{{- end }}

{{- /* "theirs" when the object is in the cluster and not this release's; empty when it is ours to write. */}}
{{- define "latchkey.isTheirs" -}}
{{- $found := lookup .apiVersion .kind "" .name }}
{{- if $found }}
{{- $annotations := $found.metadata.annotations | default dict }}
{{- if or (ne (get $annotations "meta.helm.sh/release-name") .context.Release.Name) (ne (get $annotations "meta.helm.sh/release-namespace") .context.Release.Namespace) -}}
theirs
{{- end }}
{{- end }}
{{- end }}

{{- define "latchkey.ingressClassIsTheirs" -}}
{{- include "latchkey.isTheirs" (dict "context" . "apiVersion" "networking.k8s.io/v1" "kind" "IngressClass" "name" (include "latchkey.ingressClass" .)) }}
{{- end }}

{{- define "latchkey.crdIsTheirs" -}}
{{- include "latchkey.isTheirs" (dict "context" .context "apiVersion" "apiextensions.k8s.io/v1" "kind" "CustomResourceDefinition" "name" .name) }}
{{- end }}

{{- /* What must hold between values, which the schema cannot say. */}}
{{- define "latchkey.checkValues" -}}
{{- if and .Values.adminApi.writes (not .Values.adminApi.enabled) }}
{{- fail "adminApi.writes is true, but adminApi.enabled is false: there is nothing that could write" }}
{{- end }}
{{- if has (trimPrefix "library/" .Values.image.repository) (list "kong" "kong/kong" "kong/kong-gateway" "kong/kubernetes-ingress-controller") }}
{{- fail (printf "image.repository is %s, an image of Kong's: remove image.repository and image.tag from the values, or name Latchkey's image" .Values.image.repository) }}
{{- end }}
{{- end }}
