import type { Problem } from '#resources/verdict.ts';
import { annotationField } from './annotations.ts';

/** Protocols of Kong's that requests can be sent by, and whether over TLS; WebSockets are HTTP at first. */
const protocols: Readonly<Record<string, 'plain' | 'tls'>> = { http: 'plain', ws: 'plain', https: 'tls', wss: 'tls' };

/** Protocols of Kong's (kong-facts 4.5) that are missing here. */
const missing = new Set(['grpc', 'grpcs', 'tcp', 'tls', 'tls_passthrough', 'udp']);

/** Whether endpoints are spoken to over TLS; a protocol that is not spoken closes the routes. */
export function usesTls(text: string | undefined, problems: Problem[]): boolean {
  const protocol = (text ?? 'http').toLowerCase();
  const way = Object.hasOwn(protocols, protocol) ? protocols[protocol] : undefined;
  if (way !== undefined) return way === 'tls';
  const field = annotationField('konghq.com/protocol');
  const isMissing = missing.has(protocol);
  problems.push({
    reason: isMissing ? 'NotSupported' : 'InvalidAnnotation',
    field,
    message: isMissing
      ? `${field}: ${protocol} is not supported yet, only ${Object.keys(protocols).join(', ')}`
      : `${field}: expected one of ${[...Object.keys(protocols), ...missing].join(', ')}`,
    effect: 'route answers 503',
  });
  return false;
}
