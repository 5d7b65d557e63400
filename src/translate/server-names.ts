import type { Ingress } from '#resources/ingress.ts';
import { refKey, type Ref } from '#resources/ref.ts';
import type { Effect, Problem, TimedProblem } from '#resources/verdict.ts';
import type { ServerNameEntry } from '#table/certificate-entry.ts';
import { certificateFact, certificateKey, certificateProblem, validityProblems } from './certificate.ts';
import { isHost } from './host-name.ts';
import { rankOf } from './rank.ts';
import type { ClaimedEntry, Context, Translation } from './translation.ts';

/** A host of `spec.tls` and the Secret that its certificate is in. */
interface TlsHost {
  readonly host: string;
  readonly secret: Ref;
  /** Such as `spec.tls[0].hosts[1]`. */
  readonly field: string;
  /** Such as `spec.tls[0].secretName`. */
  readonly secretField: string;
}

/** What `spec.tls` comes to, so far. */
interface Gathered {
  readonly hosts: TlsHost[];
  readonly problems: Problem[];
  readonly timed: TimedProblem[];
}

type TlsItem = NonNullable<NonNullable<Ingress['spec']>['tls']>[number];

function refuse(field: string, fault: string, effect: Effect): Problem {
  return { reason: 'InvalidObject', field, message: `${field}: ${fault}`, effect };
}

/** The hosts of one item. Without hosts or a Secret it says nothing that could be served; Kong skips it in silence. */
function hostsOf(item: TlsItem, i: number, gathered: Gathered, { ref }: Context): void {
  const field = `spec.tls[${i}]`;
  const { hosts = [], secretName = '' } = item;
  if (hosts.length === 0) {
    gathered.problems.push(refuse(`${field}.hosts`, 'names no host', 'certificate not served'));
  } else if (secretName === '') {
    gathered.problems.push(refuse(`${field}.secretName`, 'names no Secret', 'default certificate served'));
  } else {
    const secret = { kind: 'Secret', namespace: ref.namespace, name: secretName };
    for (const [h, written] of hosts.entries()) {
      const host = {
        host: written.toLowerCase(),
        secret,
        field: `${field}.hosts[${h}]`,
        secretField: `${field}.secretName`,
      };
      addHost(host, gathered);
    }
  }
}

function addHost(place: TlsHost, { hosts, problems }: Gathered): void {
  const { host, field, secret } = place;
  if (!isHost(host)) {
    const fault = 'is neither a host name nor a wildcard such as *.example.com';
    problems.push(refuse(field, fault, 'certificate not served'));
    return;
  }
  const before = hosts.find((other) => other.host === host);
  if (before === undefined) hosts.push(place);
  else if (before.secret.name !== secret.name) {
    const message = `${field}: ${host} has another Secret in ${before.field} already`;
    problems.push({ reason: 'Conflict', field, message, effect: 'the first is in force' });
  }
}

/** Whether a certificate with these names is for a host; a wildcard stands for one label (RFC 9525 section 6.3). */
function covers(names: readonly string[], host: string): boolean {
  return names.includes(host) || names.includes(`*${host.slice(host.indexOf('.'))}`);
}

function claimed(place: TlsHost, shares: string, object: Ingress, { ref }: Context): ClaimedEntry {
  const { host, secret, field } = place;
  const entry: ServerNameEntry = {
    kind: 'server-name',
    key: `server-name:${ref.namespace}/${ref.name}/${host}`,
    host,
    certificate: certificateKey(secret),
  };
  const claim = {
    key: `server-name:${host}`,
    owner: refKey(ref),
    rank: rankOf(ref, object),
    what: `the certificate for ${host}`,
    field,
    holder: ref,
    effect: 'certificate not served' as const,
    shares,
  };
  return { entry, claims: [claim] };
}

/** What is wrong with the certificates of an Ingress, each Secret told of once. */
function secretProblems({ hosts, problems, timed }: Gathered, { view }: Context): void {
  const told = new Set<string>();
  for (const { secret, secretField: field } of hosts) {
    if (told.has(secret.name)) continue;
    told.add(secret.name);
    const place = { field, about: secret };
    const facts = view.fact(certificateFact, secret);
    if ('fault' in facts) problems.push(certificateProblem(facts, place, 'default certificate served'));
    else timed.push(...validityProblems(facts, place));
  }
}

/** A host that its certificate is not for: clients will say so, and the certificate is shown as it is. */
function nameProblems({ hosts, problems }: Gathered, { view }: Context): void {
  for (const { host, secret, field } of hosts) {
    const facts = view.fact(certificateFact, secret);
    if ('fault' in facts || covers(facts.names, host)) continue;
    const isFor = facts.names.length === 0 ? 'no host' : facts.names.join(', ');
    const fault = { reason: 'CertificateMismatch', fault: `the certificate is for ${isFor}, not for ${host}` } as const;
    problems.push(certificateProblem(fault, { field, about: secret }, 'served all the same'));
  }
}

/**
 * The server names of an Ingress (`spec.tls`): the oldest that names a host has it, and two that show the same
 * certificate do not dispute it. Its hosts need not be those of its rules (kong-facts 4.8). A host whose
 * certificate cannot be served stays its own: clients get the default certificate, not somebody else's.
 */
export function serverNames(object: Ingress, context: Context): Translation {
  const gathered: Gathered = { hosts: [], problems: [], timed: [] };
  for (const [i, item] of (object.spec?.tls ?? []).entries()) hostsOf(item, i, gathered, context);
  secretProblems(gathered, context);
  nameProblems(gathered, context);
  const entries = gathered.hosts.map((place) => {
    const facts = context.view.fact(certificateFact, place.secret);
    return claimed(place, 'fault' in facts ? refKey(place.secret) : facts.digest, object, context);
  });
  return { entries, problems: gathered.problems, ...(gathered.timed.length === 0 ? {} : { timed: gathered.timed }) };
}
