/** How requests are taken in and sent on, the same for every worker. What an option means stands beside its flag. */
export interface ProxySettings {
  readonly limits: Limits;
}

/** What a client may take of us before it is refused. */
export interface Limits {
  /** A slow client has this long for its request's head … */
  readonly headersTimeoutMs: number;
  /** … and this long for the whole request. */
  readonly requestTimeoutMs: number;
  /** A connection without a request is closed after this long. */
  readonly keepAliveTimeoutMs: number;
  /** Bytes of a request's head. */
  readonly headBytes: number;
}
