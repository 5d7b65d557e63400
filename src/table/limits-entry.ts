/** What a client may take of the gateway before it is refused. All of it can change while the gateway runs. */
export interface LiveLimits {
  /** A slow client has this long for its request's head … */
  readonly headersTimeoutMs: number;
  /** … and this long for the whole request; 0 for any time. */
  readonly requestTimeoutMs: number;
  /** A connection without a request is closed after this long. */
  readonly keepAliveTimeoutMs: number;
  /** Bytes of a request's head. */
  readonly headBytes: number;
  /** Bytes of a request's body; 0 for any number. */
  readonly bodyBytes: number;
  /** Bytes of a request's target. */
  readonly uriBytes: number;
  /** Fields in a request's head. */
  readonly headerCount: number;
  /** Client connections of one worker. */
  readonly connections: number;
  /** WebSockets of one worker. */
  readonly tunnels: number;
}

const hourMs = 3_600_000;

/** What may be stated of each, by flag or by annotation; both included. */
export const limitRanges = {
  headersTimeoutMs: { min: 1, max: hourMs },
  requestTimeoutMs: { min: 0, max: 24 * hourMs },
  keepAliveTimeoutMs: { min: 1, max: 24 * hourMs },
  headBytes: { min: 1024, max: 1024 * 1024 },
  uriBytes: { min: 64, max: 1024 * 1024 },
  headerCount: { min: 8, max: 10_000 },
  connections: { min: 1, max: 1_000_000 },
  tunnels: { min: 1, max: 1_000_000 },
} as const satisfies Partial<Record<keyof LiveLimits, { readonly min: number; readonly max: number }>>;

/** Limits that the ingress class states; they stand before those of the flags. */
export interface LimitsEntry {
  readonly kind: 'limits';
  /** There is one: `limits:`. */
  readonly key: string;
  readonly limits: Partial<LiveLimits>;
}
