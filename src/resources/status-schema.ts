import Type from 'typebox';
import type { CrdDetails, Kind } from './kind.ts';
import { structural, type StructuralSchema } from './structural-schema.ts';

/** https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#condition-v1-meta */
const condition = Type.Object(
  {
    type: Type.String({
      description: 'What the condition is about, such as Programmed.',
      maxLength: 316,
      pattern: String.raw`^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$`,
    }),
    status: Type.Union([Type.Literal('True'), Type.Literal('False'), Type.Literal('Unknown')], {
      description: 'Whether it is so.',
    }),
    reason: Type.String({
      description: 'Why, in a word for programs.',
      minLength: 1,
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    }),
    message: Type.String({ description: 'Why, in words for people.', maxLength: 32768 }),
    lastTransitionTime: Type.String({ format: 'date-time', description: 'When `status` last changed.' }),
    observedGeneration: Type.Optional(
      Type.Integer({ format: 'int64', minimum: 0, description: 'The generation of the object that this is said of.' }),
    ),
  },
  { description: 'One thing that is known about the object.' },
);

/** At most 8, one of a type; each controller owns those that it writes. */
const conditionList = (description: string, more: object = {}) =>
  Type.Array(condition, {
    description,
    maxItems: 8,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
    ...more,
  });

/** What is said of an object before any controller has looked at it. */
const pending = [
  {
    type: 'Programmed',
    status: 'Unknown',
    reason: 'Pending',
    message: 'Waiting for controller',
    lastTransitionTime: '1970-01-01T00:00:00Z',
  },
];

/** Other controllers keep more in the status (Konnect its ids): nothing of it is lost. */
const keepOthers = { 'x-kubernetes-preserve-unknown-fields': true };

function conditionsStatus({ pendingDefault: defaultOn, statusFields = {} }: Partial<CrdDetails>) {
  const conditions = conditionList(
    'What is known about the object: Programmed is True once requests already see it.',
    defaultOn === 'conditions' ? { default: pending } : {},
  );
  return Type.Object(
    { conditions: Type.Optional(conditions), ...statusFields },
    {
      description: 'What controllers say of the object.',
      ...(defaultOn === 'status' ? { default: { conditions: pending } } : {}),
      ...keepOthers,
    },
  );
}

/** As policies of the Gateway API have it: https://gateway-api.sigs.k8s.io/geps/gep-713/ */
const ancestorRef = Type.Object(
  {
    group: Type.Optional(
      Type.String({ description: 'Its API group.', maxLength: 253, default: 'gateway.networking.k8s.io' }),
    ),
    kind: Type.Optional(Type.String({ description: 'Its kind.', minLength: 1, maxLength: 63, default: 'Gateway' })),
    namespace: Type.Optional(Type.String({ description: 'Its namespace.', minLength: 1, maxLength: 63 })),
    name: Type.String({ description: 'Its name.', minLength: 1, maxLength: 253 }),
    sectionName: Type.Optional(Type.String({ description: 'A part of it.', minLength: 1, maxLength: 253 })),
    port: Type.Optional(Type.Integer({ description: 'A port of it.', format: 'int32', minimum: 1, maximum: 65535 })),
  },
  { description: 'The object that the policy is used by, such as a Service.' },
);

const ancestorsStatus = Type.Object(
  {
    ancestors: Type.Array(
      Type.Object(
        {
          ancestorRef,
          controllerName: Type.String({
            description: 'The controller that says it.',
            minLength: 1,
            maxLength: 253,
            pattern: String.raw`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$`,
          }),
          conditions: Type.Optional(
            conditionList('What is known about the policy where this object uses it.', { minItems: 1 }),
          ),
        },
        { description: 'What a controller says of one use of the policy.' },
      ),
      { description: 'The objects that the policy is used by, at most 16.', maxItems: 16 },
    ),
  },
  { description: 'What controllers say of the policy.', ...keepOthers },
);

/** The schema of the status of a kind, or undefined when it has none that a CRD says. */
export function statusSchema({ status, crd }: Kind): StructuralSchema | undefined {
  if (status === 'conditions') return structural(conditionsStatus(crd ?? {}));
  return status === 'ancestors' ? structural(ancestorsStatus) : undefined;
}
