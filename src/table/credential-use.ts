/** A credential that opened a route, as a worker tells it. */
export interface CredentialUse {
  readonly credentialId: string;
  /** Ids of credentials of two types may be the same; those of one consumer are its own affair. */
  readonly consumerId: string;
  /** Whole minutes since the epoch. */
  readonly minute: number;
}

/** Milliseconds of a minute. */
export const minuteMs = 60_000;

/** The minute that a time is in. */
export const minuteOf = (ms: number): number => Math.floor(ms / minuteMs);
