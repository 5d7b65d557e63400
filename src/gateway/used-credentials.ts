import type { Credential } from '#table/credential-entry.ts';
import { minuteOf, type CredentialUse } from '#table/credential-use.ts';

/**
 * Which credentials a worker has seen used. A request costs a look-up, and the first of a credential in a minute
 * an object besides; what is kept is bounded by the credentials that are used within a minute.
 */
export function createUsedCredentials() {
  let minute = 0;
  /** The consumer of each credential that has been seen in this minute, by their ids. */
  const seen = new Map<string, string>();
  /** What has not been told yet. */
  let fresh = new Map<string, CredentialUse>();

  return {
    /** A credential opens a route now. */
    note({ credentialId, consumer }: Credential, nowMs: number): void {
      const now = minuteOf(nowMs);
      if (now !== minute) {
        minute = now;
        seen.clear();
      }
      if (seen.get(credentialId) === consumer.id) return;
      seen.set(credentialId, consumer.id);
      fresh.set(`${consumer.id} ${credentialId}`, { credentialId, consumerId: consumer.id, minute });
    },

    /** What came since the last time; of each credential the last minute. */
    take(): CredentialUse[] {
      const taken = [...fresh.values()];
      if (taken.length > 0) fresh = new Map();
      return taken;
    },
  };
}

export type UsedCredentials = ReturnType<typeof createUsedCredentials>;
