/** What a client may take of the gateway before it is refused, where that can change while it runs. */
export interface LiveLimits {
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

/** Limits that the ingress class states; they stand before those of the flags. */
export interface LimitsEntry {
  readonly kind: 'limits';
  /** There is one: `limits:`. */
  readonly key: string;
  readonly limits: Partial<LiveLimits>;
}
