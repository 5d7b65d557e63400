import type { CertificateEntry, ServerNameEntry } from '#table/certificate-entry.ts';

/** Which certificate is for which server name. */
export interface ServerNames {
  put(entry: CertificateEntry | ServerNameEntry): void;
  remove(entry: CertificateEntry | ServerNameEntry): void;
  /** The certificate for a name that a client gave, or gave not (''); undefined for the one made at start. */
  find(name: string): CertificateEntry | undefined;
}

/** A host that holds no letter but ASCII's small ones, without the dot of the root (RFC 6066 section 3). */
const plainName = (name: string): string => name.toLowerCase().replace(/\.$/, '');

const wildcardOf = (host: string): string => `*${host.slice(host.indexOf('.'))}`;

/** An empty set of server names. */
export function createServerNames(): ServerNames {
  const certificates = new Map<string, CertificateEntry>();
  /** Several entries of one host all name the same certificate (translate settles that): any will do. */
  const names = new Map<string, Map<string, ServerNameEntry>>();

  const entryOf = (host: string): ServerNameEntry | undefined => names.get(host)?.values().next().value;

  const certificateOf = (entry: ServerNameEntry | undefined): CertificateEntry | undefined =>
    entry?.certificate === undefined ? undefined : certificates.get(entry.certificate);

  return {
    put(entry) {
      if (entry.kind === 'certificate') certificates.set(entry.key, entry);
      else names.set(entry.host, (names.get(entry.host) ?? new Map<string, ServerNameEntry>()).set(entry.key, entry));
    },

    remove(entry) {
      if (entry.kind === 'certificate') return void certificates.delete(entry.key);
      const ofHost = names.get(entry.host);
      ofHost?.delete(entry.key);
      if (ofHost?.size === 0) names.delete(entry.host);
    },

    find(name) {
      const host = plainName(name);
      // A host whose own pair is broken gets the default certificate, not that of a wildcard over it.
      const entry = host === '' ? undefined : (entryOf(host) ?? entryOf(wildcardOf(host)));
      return certificateOf(entry) ?? certificateOf(entryOf(''));
    },
  };
}
