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
const onClass = ['IngressClass'];

/** The catalogue of annotations; docs/reference/annotations.md is made from it. */
export const annotations = {
  'konghq.com/plugins': {
    on: ['Ingress', 'Service', 'KongConsumer', 'KongConsumerGroup'],
    meaning:
      'Names of KongPlugins or KongClusterPlugins to attach, separated by commas; `namespace:name` for a KongPlugin of a namespace whose ReferenceGrant allows it.',
  },
  'konghq.com/strip-path': { on: onIngress, meaning: 'Take the matched path away before forwarding. Default false.' },
  'konghq.com/preserve-host': { on: onIngress, meaning: "Forward the client's Host. Default true." },
  'kubernetes.io/ingress.class': {
    on: ['Ingress', 'KongConsumer', 'KongConsumerGroup', 'KongClusterPlugin'],
    meaning: 'The ingress class that the object belongs to.',
  },
  'konghq.com/protocols': {
    on: onIngress,
    meaning: 'Protocols that the route accepts: http, https, grpc, grpcs. Only https: http is redirected.',
  },
  'konghq.com/https-redirect-status-code': {
    on: onIngress,
    meaning: 'Answer to http where only https is accepted: 301, 302, 307, 308 or 426. Default 426.',
  },
  'ingress.kubernetes.io/force-ssl-redirect': {
    on: onIngress,
    meaning: 'Accept https alone and redirect http with 302, unless the two annotations above say otherwise.',
  },
  'konghq.com/regex-priority': {
    on: onIngress,
    meaning: 'Order among regular expressions of a host, the highest first. Default 0.',
  },
  'konghq.com/regex-prefix': { on: onIngress, meaning: 'Marker of a regular expression. Default /~.' },
  'konghq.com/methods': { on: onIngress, meaning: 'Methods that the route accepts, separated by commas. Default all.' },
  'konghq.com/snis': {
    on: onIngress,
    meaning: 'TLS server names that a request over https must have come for, separated by commas.',
  },
  'konghq.com/host-aliases': { on: onIngress, meaning: 'More hosts for every rule, separated by commas.' },
  'konghq.com/headers.<name>': {
    on: onIngress,
    meaning: 'Values of a header that a request must have, one of them; ~* and a regular expression alone.',
  },
  'konghq.com/headers-separator': { on: onIngress, meaning: 'What separates those values. Default a comma.' },
  'konghq.com/path-handling': {
    on: onIngress,
    meaning: 'How service path and request path are joined: v0 by one slash, v1 as they are. Default v0.',
  },
  'konghq.com/request-buffering': {
    on: onIngress,
    meaning: 'Read the request body, up to 8 MiB of it, before it is forwarded. Default false.',
  },
  'konghq.com/response-buffering': {
    on: onIngress,
    meaning: 'Read the response body, up to 8 MiB of it, before it is answered. Default false.',
  },
  'konghq.com/rewrite': {
    on: onIngress,
    meaning: 'Path to forward to instead; $1 is the first group of the regular expression of the path.',
  },
  'konghq.com/tags': {
    on: ['Ingress', 'Service', 'KongConsumer', 'KongPlugin', 'KongClusterPlugin'],
    meaning: 'Tags of the entities that the Admin API shows, separated by commas.',
  },
  'konghq.com/protocol': {
    on: onService,
    meaning:
      'Protocol towards the endpoints: http, https, ws or wss. The others of Kong close the routes for now. Default http.',
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
    meaning: 'Milliseconds that a part of the request may take to be sent. Default 60000.',
  },
  'konghq.com/retries': { on: onService, meaning: 'Further attempts after a failed connection. Default 5.' },
  'konghq.com/client-cert': {
    on: onService,
    meaning: 'Name of the kubernetes.io/tls Secret that the gateway proves itself to the endpoints with.',
  },
  'konghq.com/tls-verify': {
    on: onService,
    meaning: 'Verify that the certificate of an endpoint is for the Host that is sent. Default false.',
  },
  'konghq.com/tls-verify-depth': {
    on: onService,
    meaning: 'Certificates that may stand between that of an endpoint and its CA. Default 1.',
  },
  'konghq.com/ca-certificates-secrets': {
    on: onService,
    meaning:
      'Names of Secrets, labelled konghq.com/ca-cert, with CAs to verify against (data `cert` or `ca.crt`). Default those of the system.',
  },
  'konghq.com/ca-certificates-configmaps': {
    on: onService,
    meaning: 'Names of ConfigMaps, labelled konghq.com/ca-cert or konghq.com/configmap, with CAs to verify against.',
  },
  'konghq.com/upstream-policy': {
    on: onService,
    meaning: 'Name of a KongUpstreamPolicy (same namespace): balancing and health checks of the endpoints.',
  },
  'konghq.com/override': {
    on: onService,
    meaning: 'Name of a KongIngress (deprecated).',
    unsupported: 'field ignored',
  },
  'ingress.kubernetes.io/service-upstream': {
    on: onService,
    meaning: 'Send to the address of the Service instead of to its endpoints. Default false.',
  },
  'latchkey.dev/expires-at': {
    on: ['Secret'],
    meaning:
      'When a credential ceases to be in force, as RFC 3339 has times: 2027-01-31T12:00:00Z. With `ttl` the earlier counts.',
  },
  'latchkey.dev/consumer-namespaces': {
    on: ['Ingress', 'KongPlugin', 'KongClusterPlugin'],
    meaning:
      "Namespaces whose consumers are admitted, separated by commas; `same` is the Ingress's own, `*` (the default) is all. Where Ingress and plugin state it, both must admit.",
  },
  'latchkey.dev/slow-start': {
    on: onService,
    meaning:
      'Seconds in which the share of an endpoint that has come, or turned healthy, grows from a tenth to all of it. Default 0, all at once.',
  },
  'latchkey.dev/client-max-body-size': {
    on: ['Ingress', 'IngressClass'],
    meaning:
      'Bytes that the body of a request may have, such as 512k, 10m or 1g; 0 for any number. On an Ingress it holds for its routes, on our IngressClass for all others.',
  },
  'latchkey.dev/client-header-timeout-ms': {
    on: onClass,
    meaning: 'As the flag `--client-header-timeout-ms`, at once.',
  },
  'latchkey.dev/client-request-timeout-ms': {
    on: onClass,
    meaning: 'As the flag `--client-request-timeout-ms`, at once.',
  },
  'latchkey.dev/client-idle-timeout-ms': {
    on: onClass,
    meaning: 'As the flag `--client-idle-timeout-ms`, from the next request of a connection on.',
  },
  'latchkey.dev/client-header-bytes': {
    on: onClass,
    meaning: 'As the flag `--client-header-bytes`, for new connections.',
  },
  'latchkey.dev/client-uri-bytes': { on: onClass, meaning: 'As the flag `--client-uri-bytes`, at once.' },
  'latchkey.dev/client-header-count': { on: onClass, meaning: 'As the flag `--client-header-count`, at once.' },
  'latchkey.dev/max-connections': { on: onClass, meaning: 'As the flag `--max-connections`, at once.' },
  'latchkey.dev/max-tunnels': { on: onClass, meaning: 'As the flag `--max-tunnels`, at once.' },
  'latchkey.dev/updated-at': {
    on: ['KongConsumer', 'KongPlugin', 'KongClusterPlugin'],
    meaning: 'When the Admin API last wrote the object. It shows it as `updated_at`.',
  },
} as const satisfies Record<string, AnnotationText>;

/** What is ours alone stands under this. */
export const ourPrefix = 'latchkey.dev/';
/** Names of annotations that several places read. */
export const expiresAtAnnotation = 'latchkey.dev/expires-at';
export const consumerNamespacesAnnotation = 'latchkey.dev/consumer-namespaces';
export const pluginsAnnotation = 'konghq.com/plugins';
export const upstreamPolicyAnnotation = 'konghq.com/upstream-policy';
export const classAnnotation = 'kubernetes.io/ingress.class';

/** The catalogue's text for an annotation's name, or undefined when it has none. */
export function findAnnotation(name: string): AnnotationText | undefined {
  const catalogue: Readonly<Record<string, AnnotationText>> = annotations;
  if (name.startsWith('konghq.com/headers.')) return annotations['konghq.com/headers.<name>'];
  return Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
}

/** The items of an annotation that is a list separated by commas, in their order, each once; none if it is absent. */
export function listedItems(text: string | undefined): string[] {
  const items = (text ?? '').split(',').map((item) => item.trim());
  return [...new Set(items.filter((item) => item !== ''))];
}
