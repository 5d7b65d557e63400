import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createServerNames } from '#gateway/server-names.ts';
import type { CertificateEntry, ServerNameEntry } from '#table/certificate-entry.ts';
import { Redacted } from '#table/redacted.ts';

const certificate = (key: string): CertificateEntry => ({
  kind: 'certificate',
  key,
  certificate: key,
  privateKey: new Redacted(key),
  notAfterMs: 0,
});

/** Which certificate a host has follows from the host, as translation sees to; who names it differs. */
const serverName = (host: string, owner: string): ServerNameEntry => ({
  kind: 'server-name',
  key: `server-name:${owner}/${host}`,
  host,
  ...(host === 'broken.x.org' ? {} : { certificate: `of ${host}` }),
});

const hosts = ['', 'a.x.org', '*.x.org', 'broken.x.org', '*.a.x.org', 'x.org'];
const asked = [
  '',
  'a.x.org',
  'A.X.org',
  'a.x.org.',
  'b.x.org',
  'broken.x.org',
  'b.a.x.org',
  'c.b.a.x.org',
  'x.org',
  'org',
  '.',
  '*.x.org',
];

/** The rule in plain words: the name itself, else the wildcard of its rest, else the default. */
function plainAnswer(entries: readonly (CertificateEntry | ServerNameEntry)[], name: string): string | undefined {
  const host = name.toLowerCase().replace(/\.$/, '');
  const labels = host.split('.');
  const byHost = (wanted: string) => entries.find((entry) => entry.kind === 'server-name' && entry.host === wanted);
  const found = host === '' ? undefined : (byHost(host) ?? byHost(['*', ...labels.slice(1)].join('.')));
  const keys = [found, byHost('')].flatMap((entry) =>
    entry?.kind === 'server-name' && entry.certificate !== undefined ? [entry.certificate] : [],
  );
  return keys.find((key) => entries.some((entry) => entry.kind === 'certificate' && entry.key === key));
}

const anyEntry = fc.oneof(
  fc.constantFrom(...hosts).map((host) => certificate(`of ${host}`)),
  fc
    .record({ host: fc.constantFrom(...hosts), owner: fc.constantFrom('one', 'two') })
    .map(({ host, owner }) => serverName(host, owner)),
);

test('whatever came and went, a name gets its own certificate, that of its wildcard, or the default', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ entry: anyEntry, comes: fc.boolean() }), { maxLength: 30 }), (steps) => {
      const names = createServerNames();
      const entries = new Map<string, CertificateEntry | ServerNameEntry>();
      for (const { entry, comes } of steps) {
        const before = entries.get(entry.key);
        if (before !== undefined) names.remove(before);
        entries.delete(entry.key);
        if (!comes) continue;
        names.put(entry);
        entries.set(entry.key, entry);
      }
      for (const name of asked) {
        expect([name, names.find(name)?.key]).toEqual([name, plainAnswer([...entries.values()], name)]);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('any text may be a server name', () => {
  const names = createServerNames();
  names.put(certificate('of '));
  names.put(serverName('', 'one'));
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      expect(names.find(name)?.key).toBe('of ');
    }),
  );
});
