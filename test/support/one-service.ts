export interface OneService {
  /** The host of the Ingress's certificate, in the Secret `cert`; absent for no TLS. */
  readonly tlsHost?: string;
  /** Name of the KongUpstreamPolicy of the Service. */
  readonly policy?: string;
  /** How the endpoint is spoken to; http when absent. */
  readonly protocol?: string;
  /** Further annotations of the Service. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Annotations of the Ingress. */
  readonly route?: Readonly<Record<string, string>>;
}

/** An Ingress `a` for every path, its Service `s` and one endpoint, a port of this machine, as a user writes them. */
export function oneService(
  port: number,
  { tlsHost, policy, protocol, annotations: more = {}, route = {} }: OneService = {},
): string {
  const tls = tlsHost === undefined ? '' : `  tls: [{ hosts: [${tlsHost}], secretName: cert }]\n`;
  const annotations = {
    ...more,
    ...(policy === undefined ? {} : { 'konghq.com/upstream-policy': policy }),
    ...(protocol === undefined ? {} : { 'konghq.com/protocol': protocol }),
  };
  return `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: a, annotations: ${JSON.stringify(route)} }
spec:
  ingressClassName: kong
${tls}  rules: [{ http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: s, port: { number: 80 } } } }] } }]
---
apiVersion: v1
kind: Service
metadata: { name: s, annotations: ${JSON.stringify(annotations)} }
spec: { ports: [{ port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: s-1, labels: { kubernetes.io/service-name: s } }
addressType: IPv4
endpoints: [{ addresses: [127.0.0.1] }]
ports: [{ port: ${port} }]
`;
}
