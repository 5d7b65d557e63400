/**
 * The catalogue of reasons: everything Latchkey can find wrong with an object. The reason is what a
 * condition, an Event and `latchkey check` carry; docs/reference/reasons.md is made from this list, and
 * a test checks that every reason occurs in some case.
 */
export interface ReasonText {
  readonly meaning: string;
  readonly remedy: string;
}

export const reasons = {
  InvalidObject: {
    meaning: 'A field of the object is missing, has the wrong type or a value that is not allowed.',
    remedy: 'Correct the field that the message names.',
  },
  DuplicateObject: {
    meaning: 'The same object (kind, namespace and name) stands in two files, or twice in one.',
    remedy: 'Remove one of the two; the one that stands first, by path and line, is in force.',
  },
  Conflict: {
    meaning: 'An older object already holds what this one asks for: a key, a username, a host and path.',
    remedy: 'Change or delete one of the two. When the older goes, this one takes over by itself.',
  },
  ParametersNotFound: {
    meaning: 'An IngressClass names parameters of another kind or scope, or such as do not exist or are not valid.',
    remedy:
      'Name an IngressClassParameters with its apiGroup, kind, scope Namespace and namespace; the defaults hold until then.',
  },
  ServiceNotFound: {
    meaning: 'An Ingress names a Service that does not exist in its namespace.',
    remedy: 'Create the Service or correct the name; the route answers 503 until then.',
  },
  ServicePortNotFound: {
    meaning: 'An Ingress names a port that its Service does not have.',
    remedy: 'Name a port, by number or by name, that stands in the Service.',
  },
  UpstreamPolicyNotFound: {
    meaning: 'The annotation konghq.com/upstream-policy names a KongUpstreamPolicy that is absent or not valid.',
    remedy:
      'Create the policy in the namespace of the Service, or correct it or its name; endpoints get requests in turn.',
  },
  PluginNotFound: {
    meaning: 'The annotation konghq.com/plugins names a plugin that does not exist.',
    remedy:
      'Create the KongPlugin (same namespace) or KongClusterPlugin, or correct the name; the routes answer 503 until then.',
  },
  PluginNotInForce: {
    meaning: 'The annotation konghq.com/plugins names a plugin that is itself broken.',
    remedy: "See the plugin's own status; the routes answer 503 until it is mended.",
  },
  DuplicatePlugin: {
    meaning: 'Two plugins of one type are attached to one object. The first that is named is in force.',
    remedy: 'Name only one plugin of each type in konghq.com/plugins.',
  },
  PluginNotAllowed: {
    meaning:
      'A plugin is attached to callers that it cannot run for: one that runs for all callers alike (what authenticates, acl, cors) to a consumer or a consumer group, or to a group one that consumers name too (it then runs for those alone, as in Kong).',
    remedy:
      'Attach what runs for all callers to the Ingress or the Service; attach one plugin to the consumers and another to the groups.',
  },
  ReferenceNotGranted: {
    meaning: 'An object names a plugin of another namespace, and no ReferenceGrant there lets it.',
    remedy:
      'Create a ReferenceGrant in the namespace of the plugin, from the kind and namespace of the object to KongPlugin.',
  },
  OrderingCycle: {
    meaning: 'The `ordering` of the plugins of a route cannot hold: each of two is to run before the other.',
    remedy: 'Take one of the two orderings away; the route answers 503 until then.',
  },
  ConsumerGroupNotFound: {
    meaning: 'A KongConsumer names a consumer group that does not exist in its namespace and class.',
    remedy:
      'Create the KongConsumerGroup, or take its name out of `consumerGroups`. What the group forbids is not known, so the consumer is answered 503 until then.',
  },
  UnknownPlugin: {
    meaning: 'The field `plugin` names a plugin that Latchkey does not have.',
    remedy: 'Use one of the plugins that docs/reference/plugins.md lists.',
  },
  InvalidConfig: {
    meaning: "A field of the plugin's `config` is unknown, missing, or has a wrong type or value.",
    remedy: 'Correct the field that the message names; docs/reference/plugins.md lists them all.',
  },
  AnonymousConsumerNotFound: {
    meaning: "The plugin's `anonymous` names a consumer that does not exist.",
    remedy:
      'Create the consumer, or take the field away; requests without a good credential are answered 500 until then.',
  },
  SecretNotFound: {
    meaning: 'An object names a Secret that does not exist.',
    remedy: 'Create the Secret in the namespace that the message names, or correct the name.',
  },
  ConfigMapNotFound: {
    meaning: 'An object names a ConfigMap that does not exist.',
    remedy: 'Create the ConfigMap in the namespace that the message names, or correct the name.',
  },
  InvalidCredential: {
    meaning: 'A credential Secret lacks a field, has an empty one or one that cannot be read.',
    remedy: 'Correct the data field that the message names.',
  },
  CredentialExpiring: {
    meaning: 'A credential ends soon, by its `ttl` or by latchkey.dev/expires-at (--key-expiry-warning says how soon).',
    remedy: 'Give the consumer a second key, move its callers to it, then take the old one away; see docs/keys.md.',
  },
  CredentialExpired: {
    meaning: 'A credential has ended, by its `ttl` or by latchkey.dev/expires-at. To callers it is an unknown key.',
    remedy: 'Delete the Secret and take it out of `credentials`, or give it another time to end.',
  },
  UnsupportedCredentialType: {
    meaning: 'The label konghq.com/credential is absent or names a type that Latchkey does not support.',
    remedy: 'Label the Secret with a type that docs/reference/plugins.md lists, such as key-auth.',
  },
  CredentialNotListed: {
    meaning: 'No KongConsumer of the same namespace lists this credential Secret.',
    remedy: 'Add the name of the Secret to `credentials` of a KongConsumer.',
  },
  CertificateInvalid: {
    meaning: 'A Secret or ConfigMap that a certificate is taken from has none, or no key of it, that can be used.',
    remedy: 'Put a certificate and its key into a Secret of type kubernetes.io/tls: `kubectl create secret tls`.',
  },
  CertificateExpired: {
    meaning: 'A certificate is no longer valid, or not yet. It is served all the same, and clients refuse it.',
    remedy: 'Renew the certificate; the Secret may be changed at any time, new connections get what is in it.',
  },
  CertificateMismatch: {
    meaning: 'A certificate is not for the host that the Ingress shows it to. Clients refuse it.',
    remedy: 'Get a certificate whose subjectAltName has the host, or name another Secret.',
  },
  InvalidAnnotation: {
    meaning: 'An annotation has a value that cannot be read.',
    remedy: 'Correct the annotation that the message names; docs/reference/annotations.md lists them all.',
  },
  NotSupported: {
    meaning: 'The object uses a feature that this version of Latchkey does not have.',
    remedy: 'Take the field or annotation away, or wait for the version that has it; docs/compatibility.md lists them.',
  },
  InternalError: {
    meaning: 'Latchkey failed on this object because of a bug of its own. What it had last is still in force.',
    remedy: 'Please report the bug with the log line that names the object.',
  },
} as const satisfies Record<string, ReasonText>;

export type Reason = keyof typeof reasons;
