import { existsSync } from 'node:fs';

/** Where a pod finds its ServiceAccount: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
const tokenFile = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Whether this process runs in a pod that may talk to its cluster. */
export const isInCluster = (): boolean => process.env['KUBERNETES_SERVICE_HOST'] !== undefined && existsSync(tokenFile);
