/** A plugin `key-auth` that takes one key, `bobs-key`, of a consumer bob, as a user writes them. */
export const bobsKey = `apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: { name: key-auth }
plugin: key-auth
---
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: { name: bob, annotations: { kubernetes.io/ingress.class: kong } }
username: bob
credentials: [key]
---
apiVersion: v1
kind: Secret
metadata: { name: key, labels: { konghq.com/credential: key-auth } }
stringData: { key: bobs-key }
`;
