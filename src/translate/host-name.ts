/** A host name, or a wildcard for one label more, in lower case: https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards */
const hostPattern = /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/** Whether a lower-case text is a host that a route may have. */
export function isHost(text: string): boolean {
  return hostPattern.test(text);
}
