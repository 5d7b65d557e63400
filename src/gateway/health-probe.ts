import type { RequestOptions } from 'node:http';
import { request as httpRequest } from './node-http.ts';
import { connect } from 'node:net';
import type { ServiceEntry, Target } from '#table/service-entry.ts';
import type { ActiveChecks } from '#table/upstream-policy.ts';
import type { Observed } from './health.ts';
import { addressOf } from './target-address.ts';

/** Something that ends by itself or is cut. */
interface Attempt {
  once(event: 'error', listener: () => void): unknown;
  destroy(): unknown;
}

/** Waits for an attempt's outcome, at most so long. */
async function within(timeoutMs: number, start: (done: (observed: Observed) => void) => Attempt): Promise<Observed> {
  return new Promise<Observed>((resolve) => {
    const done = (observed: Observed): void => {
      clearTimeout(timer);
      resolve(observed);
      attempt.destroy();
    };
    const timer = setTimeout(() => done('timeout'), timeoutMs);
    const attempt = start(done);
    attempt.once('error', () => done('connect'));
  });
}

/** `Host` of a probe, then what the policy adds. */
function probeHeaders(service: ServiceEntry, target: Target, checks: ActiveChecks): string[] {
  return ['Host', service.hostHeader ?? addressOf(target), ...checks.headers];
}

/** Loaded when the first probe needs it. */
async function httpsRequest(): Promise<typeof httpRequest> {
  return (await import('node:https')).request;
}

/** Asks a target once how it is. Never throws: what cannot even be sent is a failed connection. */
export async function sendProbe(service: ServiceEntry, target: Target, checks: ActiveChecks): Promise<Observed> {
  const { host, port } = target;
  if (checks.type === 'tcp') {
    return within(checks.timeoutMs, (done) => {
      const socket = connect({ host, port });
      // A connection is all that is asked, so it counts as the first status that is a success.
      socket.once('connect', () => done(checks.healthyStatuses[0] ?? 200));
      return socket;
    });
  }
  const options: RequestOptions & { servername?: string; rejectUnauthorized?: boolean } = {
    host,
    port,
    method: 'GET',
    path: checks.path,
    headers: probeHeaders(service, target, checks),
    agent: false,
    setHost: false,
    ...(checks.sni === undefined ? {} : { servername: checks.sni }),
    rejectUnauthorized: checks.verifiesCertificate,
  };
  const send = checks.type === 'https' ? await httpsRequest() : httpRequest;
  return within(checks.timeoutMs, (done) => {
    const request = send(options);
    request.once('response', (response) => done(response.statusCode ?? 0));
    request.end();
    return request;
  });
}
