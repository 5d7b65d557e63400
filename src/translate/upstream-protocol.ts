import type { Problem } from '#resources/verdict.ts';
import { annotationField } from './annotations.ts';

/** How endpoints are spoken to. */
export interface UpstreamProtocol {
  readonly isTls: boolean;
  /** Over HTTP/2, as gRPC needs it. */
  readonly isHttp2: boolean;
}

/** Protocols of Kong's that requests can be sent by; WebSockets are HTTP at first. */
const protocols: Readonly<Record<string, UpstreamProtocol>> = {
  http: { isTls: false, isHttp2: false },
  ws: { isTls: false, isHttp2: false },
  https: { isTls: true, isHttp2: false },
  wss: { isTls: true, isHttp2: false },
  grpc: { isTls: false, isHttp2: true },
  grpcs: { isTls: true, isHttp2: true },
};

/** Protocols of Kong's (kong-facts 4.5) that are no HTTP. */
const missing = new Set(['tcp', 'tls', 'tls_passthrough', 'udp']);

/** What `konghq.com/protocol` says; a protocol that is not spoken closes the routes. */
export function upstreamProtocol(text: string | undefined, problems: Problem[]): UpstreamProtocol {
  const name = (text ?? 'http').toLowerCase();
  const protocol = Object.hasOwn(protocols, name) ? protocols[name] : undefined;
  if (protocol !== undefined) return protocol;
  const field = annotationField('konghq.com/protocol');
  const isMissing = missing.has(name);
  problems.push({
    reason: isMissing ? 'NotSupported' : 'InvalidAnnotation',
    field,
    message: isMissing
      ? `${field}: ${name} is not supported, only ${Object.keys(protocols).join(', ')}`
      : `${field}: expected one of ${[...Object.keys(protocols), ...missing].join(', ')}`,
    effect: 'route answers 503',
  });
  return { isTls: false, isHttp2: false };
}
