import Type, { type Static, type TObject, type TProperties, type TSchema } from 'typebox';
import type { Ref } from './ref.ts';

/**
 * The part of `metadata` that Latchkey reads.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
 */
const metadataSchema = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 253 }),
  namespace: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })),
  uid: Type.Optional(Type.String()),
  creationTimestamp: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  deletionTimestamp: Type.Optional(Type.String()),
  generation: Type.Optional(Type.Integer()),
  resourceVersion: Type.Optional(Type.String()),
  labels: Type.Optional(Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()])),
  annotations: Type.Optional(Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()])),
});

export type Metadata = Static<typeof metadataSchema>;

/** Any Kubernetes object whose kind and name are known; its other fields are not checked yet. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

/** A rule between fields that a schema cannot say. */
export interface Rule<T> {
  readonly message: string;
  readonly field: string;
  /** The same rule for the API server, in CEL; `self` is the object. Absent where only Latchkey checks it. */
  readonly cel?: string;
  holds(object: T): boolean;
}

/** A rule about a change of an object, which only the API server sees; `oldSelf` is the object before it. */
export interface TransitionRule {
  readonly message: string;
  readonly field: string;
  readonly cel: string;
}

/** Everything about one kind that is not its translation. One file a kind; `all-kinds.ts` lists them. */
export interface Kind<T extends KubernetesObject = KubernetesObject> {
  readonly kind: string;
  /** API group, '' for core. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly schema: TSchema;
  readonly rules: readonly Rule<T>[];
  /** The only objects of this kind that are watched, as a field selector; all when absent. */
  readonly fieldSelector?: string;
  /** Whether a cluster need not have it: that it is not installed is then no problem, and there are none. */
  readonly isOptional?: true;
  /** The part of the status that Latchkey writes; it needs `patch` on the subresource. */
  readonly status?: 'conditions' | 'loadBalancer' | 'ancestors';
  /** What the Admin API does to objects of this kind when its writes are on. */
  readonly adminVerbs?: readonly ('create' | 'patch' | 'delete')[];
  /** What its CustomResourceDefinition says besides the schema; absent for kinds that Kubernetes brings. */
  readonly crd?: CrdDetails;
}

/** https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/ */
export interface CrdDetails {
  /** What the kind is for, to its users: `kubectl explain` and docs/reference/crds.md. */
  readonly description: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly singular: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly printerColumns: readonly PrinterColumn[];
  readonly transitions?: readonly TransitionRule[];
  /**
   * Where Kong's CRD puts the condition of an object that no controller has looked at: on the whole status,
   * so that every object has it, or on its conditions, so that an object without a status shows none.
   */
  readonly pendingDefault?: 'status' | 'conditions';
  /** What its status has besides conditions. */
  readonly statusFields?: TProperties;
}

/** A column of `kubectl get`; with priority 1 it is shown by `-o wide` alone. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'date' | 'boolean';
  readonly jsonPath: string;
  readonly description?: string;
  readonly priority?: 0 | 1;
}

/** The type of the objects of a kind: `ObjectOf<typeof ingress>`. */
export type ObjectOf<K> = K extends Kind<infer T> ? T : never;

type KindFields<S extends TObject> = Static<S> & KubernetesObject;

/**
 * Defines a kind from the schema of its own fields; apiVersion, kind and metadata are added. Fields that
 * the schema does not name are refused when `additionalProperties` of the schema is false.
 */
export function defineKind<S extends TObject>(
  definition: Omit<Kind, 'schema' | 'rules'> & { fields: S; rules?: readonly Rule<KindFields<S>>[] },
): Kind<KindFields<S>> {
  const { fields, rules = [], ...kind } = definition;
  const schema = Type.Object(
    { apiVersion: Type.String(), kind: Type.String(), metadata: metadataSchema, ...fields.properties },
    'additionalProperties' in fields ? { additionalProperties: fields.additionalProperties as boolean } : {},
  );
  return { ...kind, schema, rules };
}

/** `networking.k8s.io/v1`, or `v1` for the core group. */
export function apiVersionOf(kind: Kind): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** The ref of an object; a namespaced object without a namespace is in `default`, as kubectl has it. */
export function refOf(kind: Kind, object: KubernetesObject): Ref {
  const namespace = kind.scope === 'Cluster' ? '' : (object.metadata.namespace ?? 'default');
  return { kind: kind.kind, namespace, name: object.metadata.name };
}
