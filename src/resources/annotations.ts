import type { Effect } from './verdict.ts';

/** An annotation that Kong's controller knows (kong-facts 4.5). */
export interface AnnotationText {
  readonly on: readonly string[];
  readonly meaning: string;
  /**
   * What happens to whoever uses an annotation that is not supported yet. Whatever would make a route
   * narrower or send it elsewhere answers 503: without it the route would let in what it should not.
   */
  readonly unsupported?: Effect;
  /** Values that ask for what happens anyway, so that nothing is missing. */
  readonly harmless?: RegExp;
}

const onIngress = ['Ingress'];
const onService = ['Service'];

/** The catalogue of annotations; docs/reference/annotations.md is made from it. */
export const annotations = {
  'konghq.com/plugins': {
    on: ['Ingress', 'Service', 'KongConsumer'],
    meaning: 'Names of KongPlugins (same namespace) or KongClusterPlugins to attach, separated by commas.',
  },
  'konghq.com/strip-path': { on: onIngress, meaning: 'Take the matched path away before forwarding. Default false.' },
  'konghq.com/preserve-host': { on: onIngress, meaning: "Forward the client's Host. Default true." },
  'kubernetes.io/ingress.class': {
    on: ['Ingress', 'KongConsumer', 'KongConsumerGroup', 'KongClusterPlugin'],
    meaning: 'The ingress class that the object belongs to.',
  },
  'konghq.com/protocols': {
    on: onIngress,
    meaning: 'Protocols that the route accepts. Lists with http are supported yet.',
    unsupported: 'route answers 503',
    harmless: /^\s*(?:https\s*,\s*)?http\s*(?:,\s*https\s*)?$/i,
  },
  'konghq.com/https-redirect-status-code': {
    on: onIngress,
    meaning: 'Status of the redirect to https.',
    unsupported: 'field ignored',
  },
  'ingress.kubernetes.io/force-ssl-redirect': {
    on: onIngress,
    meaning: 'Redirect http to https.',
    unsupported: 'route answers 503',
  },
  'konghq.com/regex-priority': {
    on: onIngress,
    meaning: 'Order among regular expressions.',
    unsupported: 'field ignored',
  },
  'konghq.com/regex-prefix': {
    on: onIngress,
    meaning: 'Marker of a regular expression, instead of /~.',
    unsupported: 'route answers 503',
  },
  'konghq.com/methods': { on: onIngress, meaning: 'Methods that the route accepts.', unsupported: 'route answers 503' },
  'konghq.com/snis': { on: onIngress, meaning: 'TLS server names of the route.', unsupported: 'route answers 503' },
  'konghq.com/host-aliases': { on: onIngress, meaning: 'More hosts for every rule.', unsupported: 'field ignored' },
  'konghq.com/headers.<name>': {
    on: onIngress,
    meaning: 'Values of a header that the route wants.',
    unsupported: 'route answers 503',
  },
  'konghq.com/headers-separator': {
    on: onIngress,
    meaning: 'Separator of header values.',
    unsupported: 'route answers 503',
  },
  'konghq.com/path-handling': {
    on: onIngress,
    meaning: 'How service path and request path are joined.',
    unsupported: 'field ignored',
    harmless: /^\s*v0\s*$/,
  },
  'konghq.com/request-buffering': {
    on: onIngress,
    meaning: 'Read the whole request first.',
    unsupported: 'field ignored',
  },
  'konghq.com/response-buffering': {
    on: onIngress,
    meaning: 'Read the whole response first.',
    unsupported: 'field ignored',
  },
  'konghq.com/rewrite': { on: onIngress, meaning: 'Replace the path.', unsupported: 'route answers 503' },
  'konghq.com/tags': {
    on: ['Ingress', 'Service', 'KongConsumer', 'KongPlugin', 'KongClusterPlugin'],
    meaning: 'Tags of the entities that the Admin API shows.',
    unsupported: 'field ignored',
  },
  'konghq.com/protocol': {
    on: onService,
    meaning: 'Protocol towards the endpoints. Only http is supported yet. Default http.',
  },
  'konghq.com/path': { on: onService, meaning: 'Prefix that is put before every forwarded path. Default /.' },
  'konghq.com/host-header': {
    on: onService,
    meaning: 'Host that the endpoints get if the route does not preserve it.',
  },
  'konghq.com/connect-timeout': { on: onService, meaning: 'Milliseconds to connect in. Default 60000.' },
  'konghq.com/read-timeout': { on: onService, meaning: 'Milliseconds to wait for the response in. Default 60000.' },
  'konghq.com/write-timeout': {
    on: onService,
    meaning: 'Milliseconds to send the request in.',
    unsupported: 'field ignored',
  },
  'konghq.com/retries': { on: onService, meaning: 'Further attempts after a failed connection. Default 5.' },
  'konghq.com/client-cert': {
    on: onService,
    meaning: 'Client certificate towards the endpoints.',
    unsupported: 'route answers 503',
  },
  'konghq.com/tls-verify': {
    on: onService,
    meaning: 'Verify the certificate of the endpoints.',
    unsupported: 'route answers 503',
  },
  'konghq.com/tls-verify-depth': {
    on: onService,
    meaning: 'Depth of that verification.',
    unsupported: 'route answers 503',
  },
  'konghq.com/ca-certificates-secrets': {
    on: onService,
    meaning: 'CAs to verify against, in Secrets.',
    unsupported: 'route answers 503',
  },
  'konghq.com/ca-certificates-configmaps': {
    on: onService,
    meaning: 'CAs to verify against, in ConfigMaps.',
    unsupported: 'route answers 503',
  },
  'konghq.com/upstream-policy': {
    on: onService,
    meaning: 'Name of a KongUpstreamPolicy.',
    unsupported: 'field ignored',
  },
  'konghq.com/override': {
    on: onService,
    meaning: 'Name of a KongIngress (deprecated).',
    unsupported: 'field ignored',
  },
  'ingress.kubernetes.io/service-upstream': {
    on: onService,
    meaning: 'Send to the Service instead of to its endpoints.',
    unsupported: 'field ignored',
  },
  'latchkey.dev/expires-at': {
    on: ['Secret'],
    meaning:
      'When a credential ceases to be in force, as RFC 3339 has times: 2027-01-31T12:00:00Z. With `ttl` the earlier counts.',
  },
} as const satisfies Record<string, AnnotationText>;

/** What is ours alone stands under this. */
export const ourPrefix = 'latchkey.dev/';
/** Names of annotations that several places read. */
export const expiresAtAnnotation = 'latchkey.dev/expires-at';
export const pluginsAnnotation = 'konghq.com/plugins';
export const upstreamPolicyAnnotation = 'konghq.com/upstream-policy';
export const classAnnotation = 'kubernetes.io/ingress.class';

/** The catalogue's text for an annotation's name, or undefined when it has none. */
export function findAnnotation(name: string): AnnotationText | undefined {
  const catalogue: Readonly<Record<string, AnnotationText>> = annotations;
  if (name.startsWith('konghq.com/headers.')) return annotations['konghq.com/headers.<name>'];
  return Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
}
