/** A plugin `key-auth` and a consumer bob, as a user writes them. */

export const keyAuthPlugin = `apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: { name: key-auth }
plugin: key-auth
`;

/** The consumer, with the credentials of these Secrets. */
export const bobWith = (...credentials: readonly string[]): string => `apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: { name: bob, annotations: { kubernetes.io/ingress.class: kong } }
username: bob
credentials: [${credentials.join(', ')}]
`;

/** The plugin, the consumer, and one key of his: `bobs-key`. */
export const bobsKey = `${keyAuthPlugin}---
${bobWith('key')}---
apiVersion: v1
kind: Secret
metadata: { name: key, labels: { konghq.com/credential: key-auth } }
stringData: { key: bobs-key }
`;
