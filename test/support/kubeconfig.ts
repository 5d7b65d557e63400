/** A kubeconfig of one cluster and one user, as kubectl and the library read it. JSON is YAML. */
export const kubeconfigText = (cluster: object, user: object): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'default' } }],
  });

/** That of a server without TLS. */
export const plainKubeconfig = (port: number, user: object): string =>
  kubeconfigText({ server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }, user);
