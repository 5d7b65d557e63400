/** An answer of the Kubernetes API other than the one asked for, as its `Status` object tells it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status. */
  readonly status: number;
  /** Machine-readable reason, such as `Conflict`, `Forbidden`, `NotFound`, `Expired`. */
  readonly reason: string;
  /** Seconds after which to try again, when the API server says so (429, 503). */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, reason: string, message: string, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
