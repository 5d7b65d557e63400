{{- /* Made by `npm run rbac` from src/resources; change the code, not this file. */ -}}

{{- define "latchkey.clusterRules" -}}
- apiGroups:
    - networking.k8s.io
  resources:
    - ingressclasses
    - ingresses
  verbs:
    - get
    - list
    - watch
- apiGroups:
    - configuration.konghq.com
  resources:
    - ingressclassparameterses
    - kongplugins
    - kongclusterplugins
    - kongconsumers
    - kongconsumergroups
    - kongupstreampolicies
  verbs:
    - get
    - list
    - watch
- apiGroups:
    - ""
  resources:
    - services
    - secrets
    - configmaps
  verbs:
    - get
    - list
    - watch
- apiGroups:
    - discovery.k8s.io
  resources:
    - endpointslices
  verbs:
    - get
    - list
    - watch
- apiGroups:
    - gateway.networking.k8s.io
  resources:
    - referencegrants
  verbs:
    - get
    - list
    - watch
- apiGroups:
    - networking.k8s.io
  resources:
    - ingresses/status
  verbs:
    - patch
- apiGroups:
    - configuration.konghq.com
  resources:
    - kongplugins/status
    - kongclusterplugins/status
    - kongconsumers/status
    - kongconsumergroups/status
    - kongupstreampolicies/status
  verbs:
    - patch
- apiGroups:
    - events.k8s.io
  resources:
    - events
  verbs:
    - create
    - patch
{{- if .Values.adminApi.writes }}
# What the Admin API writes.
- apiGroups:
    - networking.k8s.io
  resources:
    - ingresses
  verbs:
    - patch
- apiGroups:
    - ""
  resources:
    - secrets
  verbs:
    - create
    - patch
    - delete
- apiGroups:
    - configuration.konghq.com
  resources:
    - kongplugins
    - kongconsumers
  verbs:
    - create
    - patch
    - delete
{{- end }}
{{- end }}

{{- define "latchkey.namespaceRules" -}}
- apiGroups:
    - configuration.konghq.com
  resources:
    - ingressclassparameterses
    - kongplugins
    - kongconsumers
    - kongconsumergroups
    - kongupstreampolicies
  verbs:
    - get
    - list
    - watch
- apiGroups:
    - networking.k8s.io
  resources:
    - ingresses
  verbs:
    - get
    - list
    - watch
- apiGroups:
    - ""
  resources:
    - services
    - secrets
    - configmaps
  verbs:
    - get
    - list
    - watch
- apiGroups:
    - discovery.k8s.io
  resources:
    - endpointslices
  verbs:
    - get
    - list
    - watch
- apiGroups:
    - gateway.networking.k8s.io
  resources:
    - referencegrants
  verbs:
    - get
    - list
    - watch
- apiGroups:
    - networking.k8s.io
  resources:
    - ingresses/status
  verbs:
    - patch
- apiGroups:
    - configuration.konghq.com
  resources:
    - kongplugins/status
    - kongconsumers/status
    - kongconsumergroups/status
    - kongupstreampolicies/status
  verbs:
    - patch
- apiGroups:
    - events.k8s.io
  resources:
    - events
  verbs:
    - create
    - patch
{{- if .Values.adminApi.writes }}
# What the Admin API writes.
- apiGroups:
    - networking.k8s.io
  resources:
    - ingresses
  verbs:
    - patch
- apiGroups:
    - ""
  resources:
    - secrets
  verbs:
    - create
    - patch
    - delete
- apiGroups:
    - configuration.konghq.com
  resources:
    - kongplugins
    - kongconsumers
  verbs:
    - create
    - patch
    - delete
{{- end }}
{{- end }}
