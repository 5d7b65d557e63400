import Type, { type Static, type TSchema, type TUnsafe } from 'typebox';
import { categories } from './kong-columns.ts';
import { defineKind, type ObjectOf, type Rule } from './kind.ts';

const oneOf = <const V extends string>(values: readonly V[], description: string) =>
  // The type of a union that is made from a list would be never.
  Type.Union(
    values.map((value) => Type.Literal(value)),
    { description },
  ) as unknown as TUnsafe<V>;

const algorithms = ['round-robin', 'consistent-hashing', 'least-connections', 'latency', 'sticky-sessions'] as const;
const probes = ['http', 'https', 'tcp', 'grpc', 'grpcs'] as const;

const closed = <P extends Record<string, TSchema>>(properties: P, description: string) =>
  Type.Object(properties, { additionalProperties: false, description });

const count = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }));

const hash = (description: string) =>
  Type.Optional(
    closed(
      {
        input: Type.Optional(
          oneOf(['ip', 'consumer', 'path', 'none'], 'What the hash is made from, where that has no name of its own.'),
        ),
        header: Type.Optional(Type.String({ description: 'Name of a header that the hash is made from.' })),
        cookie: Type.Optional(Type.String({ description: 'Name of a cookie that the hash is made from.' })),
        cookiePath: Type.Optional(Type.String({ description: 'Path of that cookie, where the gateway sets it.' })),
        queryArg: Type.Optional(Type.String({ description: 'Name of a query argument that the hash is made from.' })),
        uriCapture: Type.Optional(
          Type.String({ description: "Name of a capture group of the route's path that the hash is made from." }),
        ),
      },
      description,
    ),
  );

const statuses = (description: string) =>
  Type.Optional(Type.Array(Type.Integer({ minimum: 100, maximum: 599 }), { description }));

const healthy = Type.Optional(
  closed(
    {
      httpStatuses: statuses('Statuses that count as a success.'),
      interval: count('Seconds between two probes of a healthy endpoint.'),
      successes: count('Successes that make an endpoint healthy.'),
    },
    'When an endpoint is taken for healthy.',
  ),
);

const unhealthy = Type.Optional(
  closed(
    {
      httpStatuses: statuses('Statuses that count as a failure.'),
      httpFailures: count('HTTP failures that make an endpoint unhealthy.'),
      tcpFailures: count('TCP failures in a row that make an endpoint unhealthy.'),
      timeouts: count('Timeouts in a row that make an endpoint unhealthy.'),
      interval: count('Seconds between two probes of an unhealthy endpoint.'),
    },
    'When an endpoint is taken for unhealthy.',
  ),
);

const active = closed(
  {
    type: Type.Optional(oneOf(probes, 'Protocol of the probe.')),
    concurrency: Type.Optional(Type.Integer({ minimum: 1, description: 'Endpoints that are probed at once.' })),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.String()), { description: 'Headers of the probe.' }),
    ),
    httpPath: Type.Optional(Type.String({ pattern: '^/.*$', description: 'Path that an HTTP probe asks for.' })),
    httpsSni: Type.Optional(Type.String({ description: 'TLS server name of an HTTPS probe.' })),
    httpsVerifyCertificate: Type.Optional(
      Type.Boolean({ description: 'Whether an HTTPS probe verifies the certificate.' }),
    ),
    timeout: count('Seconds to wait for the answer to a probe.'),
    healthy,
    unhealthy,
  },
  'Health checks by probes that the gateway sends.',
);

const passive = closed(
  { type: Type.Optional(oneOf(probes, 'What is looked at: HTTP statuses, or connections alone.')), healthy, unhealthy },
  'Health checks by what becomes of requests.',
);

const spec = closed(
  {
    algorithm: Type.Optional(oneOf(algorithms, 'How an endpoint is chosen.')),
    slots: Type.Optional(
      Type.Integer({ minimum: 10, maximum: 65536, description: 'Slots of the ring of the algorithm.' }),
    ),
    hashOn: hash('What requests are told apart by; one of its fields, besides `cookiePath`.'),
    hashOnFallback: hash('What requests are told apart by that have nothing of `hashOn`.'),
    healthchecks: Type.Optional(
      closed(
        {
          threshold: Type.Optional(
            Type.Integer({ description: 'Percent of the weight of the endpoints that must be there.' }),
          ),
          active: Type.Optional(active),
          passive: Type.Optional(passive),
        },
        'Which endpoints get no requests because they are not well.',
      ),
    ),
    stickySessions: Type.Optional(
      closed(
        {
          cookie: Type.String({ description: 'Name of the cookie that keeps a client at its endpoint.' }),
          cookiePath: Type.Optional(Type.String({ description: 'Path of that cookie.', default: '/' })),
        },
        'Keeps a client at the endpoint that it got first.',
      ),
    ),
  },
  'How requests are spread over the endpoints.',
);
type Spec = Static<typeof spec>;
type Hash = NonNullable<Spec['hashOn']>;

/** CEL for: this field of the spec is there. A field of what is absent is an error in CEL, so every step is asked. */
function given(path: string): string {
  const parts = ['self', 'spec', ...path.split('.')];
  return parts
    .slice(1)
    .map((_, index) => `has(${parts.slice(0, index + 2).join('.')})`)
    .join(' && ');
}

const implies = (premise: string, conclusion: string): string => `!(${premise}) || (${conclusion})`;
const algorithmIs = (name: (typeof algorithms)[number]): string =>
  `has(self.spec.algorithm) && self.spec.algorithm == '${name}'`;

function onlyOne(path: 'hashOn' | 'hashOnFallback', fields: readonly (keyof Hash)[]): SpecRule {
  const set = fields.map((field) => `has(self.spec.${path}.${field})`).join(', ');
  return {
    message: `Only one of spec.${path}.(${fields.join('|')}) can be set.`,
    field: `spec.${path}`,
    cel: implies(given(path), `[${set}].filter(isSet, isSet).size() <= 1`),
    holds: ({ spec: { [path]: hashed = {} } = {} }) =>
      fields.filter((field) => hashed[field] !== undefined).length <= 1,
  };
}

function noInterval(side: 'healthy' | 'unhealthy'): SpecRule {
  const field = `spec.healthchecks.passive.${side}.interval`;
  return {
    message: `${field} must not be set.`,
    field,
    cel: `!(${given(`healthchecks.passive.${side}.interval`)})`,
    holds: (policy) => policy.spec?.healthchecks?.passive?.[side]?.interval === undefined,
  };
}

type SpecRule = Rule<{ readonly spec?: Spec }>;

/** Which way of telling requests apart goes with which; the texts are those of Kong's CRD. */
const hashRules: readonly SpecRule[] = [
  onlyOne('hashOn', ['input', 'cookie', 'header', 'uriCapture', 'queryArg']),
  {
    message: 'When spec.hashOn.cookie is set, spec.hashOn.cookiePath is required.',
    field: 'spec.hashOn.cookiePath',
    cel: implies(given('hashOn.cookie'), 'has(self.spec.hashOn.cookiePath)'),
    holds: ({ spec: { hashOn } = {} }) => hashOn?.cookie === undefined || hashOn.cookiePath !== undefined,
  },
  {
    message: 'When spec.hashOn.cookiePath is set, spec.hashOn.cookie is required.',
    field: 'spec.hashOn.cookie',
    cel: implies(given('hashOn.cookiePath'), 'has(self.spec.hashOn.cookie)'),
    holds: ({ spec: { hashOn } = {} }) => hashOn?.cookiePath === undefined || hashOn.cookie !== undefined,
  },
  {
    message: "spec.algorithm must be set to either 'consistent-hashing' or 'sticky-sessions' when spec.hashOn is set.",
    field: 'spec.algorithm',
    cel: implies(given('hashOn'), `${algorithmIs('consistent-hashing')} || ${algorithmIs('sticky-sessions')}`),
    holds: ({ spec: { hashOn, algorithm } = {} }) =>
      hashOn === undefined || algorithm === 'consistent-hashing' || algorithm === 'sticky-sessions',
  },
  onlyOne('hashOnFallback', ['input', 'header', 'uriCapture', 'queryArg']),
  {
    message: 'spec.algorithm must be set to "consistent-hashing" when spec.hashOnFallback is set.',
    field: 'spec.algorithm',
    cel: implies(given('hashOnFallback'), algorithmIs('consistent-hashing')),
    holds: ({ spec: { hashOnFallback, algorithm } = {} }) =>
      hashOnFallback === undefined || algorithm === 'consistent-hashing',
  },
  {
    message: 'spec.hashOnFallback must not be set when spec.hashOn.cookie is set.',
    field: 'spec.hashOnFallback',
    cel: implies(given('hashOn.cookie'), '!has(self.spec.hashOnFallback)'),
    holds: ({ spec: { hashOn, hashOnFallback } = {} }) => hashOn?.cookie === undefined || hashOnFallback === undefined,
  },
];

const otherInputs = ['cookie', 'cookiePath', 'header', 'uriCapture', 'queryArg'] as const;

const stickyRules: readonly SpecRule[] = [
  {
    message:
      "When spec.stickySessions is set, spec.hashOn.input must be set to 'none' (no other hash_on fields allowed).",
    field: 'spec.hashOn',
    cel: implies(
      given('stickySessions'),
      [
        'has(self.spec.hashOn) && has(self.spec.hashOn.input)',
        "self.spec.hashOn.input == 'none'",
        ...otherInputs.map((field) => `!has(self.spec.hashOn.${field})`),
      ].join(' && '),
    ),
    holds: ({ spec: { stickySessions, hashOn } = {} }) =>
      stickySessions === undefined ||
      (hashOn?.input === 'none' && otherInputs.every((field) => hashOn[field] === undefined)),
  },
  {
    message: "spec.algorithm must be set to 'sticky-sessions' when spec.stickySessions is set.",
    field: 'spec.algorithm',
    cel: implies(given('stickySessions'), algorithmIs('sticky-sessions')),
    holds: ({ spec: { stickySessions, algorithm } = {} }) =>
      stickySessions === undefined || algorithm === 'sticky-sessions',
  },
];

/** How a Service that names the policy in konghq.com/upstream-policy is balanced (kong-facts 4.1). */
export const kongUpstreamPolicy = defineKind({
  kind: 'KongUpstreamPolicy',
  group: 'configuration.konghq.com',
  version: 'v1beta1',
  plural: 'kongupstreampolicies',
  scope: 'Namespaced',
  status: 'ancestors',
  crd: {
    description:
      'Balancing and health checks of the endpoints of a Service. A Service of the same namespace names the policy in its annotation `konghq.com/upstream-policy`.',
    labels: { 'gateway.networking.k8s.io/policy': 'direct' },
    singular: 'kongupstreampolicy',
    listKind: 'KongUpstreamPolicyList',
    shortNames: ['kup'],
    categories,
    printerColumns: [],
  },
  fields: Type.Object(
    { spec: Type.Optional(spec), status: Type.Optional(Type.Unknown()) },
    { additionalProperties: false },
  ),
  rules: [...hashRules, noInterval('healthy'), noInterval('unhealthy'), ...stickyRules],
});

export type KongUpstreamPolicy = ObjectOf<typeof kongUpstreamPolicy>;
