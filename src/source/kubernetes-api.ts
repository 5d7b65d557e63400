/** One request to the Kubernetes API. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the server, as `resources/api-path.ts` makes it. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Default application/json. Server-side apply is application/apply-patch+yaml. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** The Kubernetes API as its objects are written and read one at a time. */
export interface KubernetesApi {
  /**
   * The body of a good answer.
   *
   * @throws ApiError what the API server answers instead; Error when it cannot be reached
   */
  request<T = unknown>(request: ApiRequest): Promise<T>;
}
