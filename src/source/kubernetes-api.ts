/**
 * The Kubernetes API as we use it: one request, one answer; and a watch, line by line. Objects come as the
 * plain JSON they are.
 *
 *   list-watch, writes, status ──▶ request / lines ──▶ credentials ──▶ API server
 *
 * It knows no kind. Invariant: an identity that the API server no longer takes (401) is read again before
 * anybody hears of it, unless it has just been read.
 */
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Dispatcher } from 'undici';
import { ApiError } from '#resources/api-error.ts';
import type { Credentials } from './kubernetes-credentials.ts';
import { renewedCredentials } from './renewed-credentials.ts';

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

/** A stream of lines, as a watch has it. */
interface LinesRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Longest silence, in milliseconds, before the connection counts as dead. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  /** Told when the API server has accepted. */
  onOpen?(): void;
  /** What it throws ends the stream and is thrown by `lines`. */
  onLine(line: string): void;
}

export interface KubernetesConnection extends KubernetesApi {
  /** Namespace of the pod, or of the kubeconfig's context. */
  readonly namespace: string | undefined;
  /**
   * Gives the lines of an answer as they come; resolves when the API server ends it.
   *
   * @throws ApiError, or Error when the connection breaks or is silent for too long
   */
  lines(request: LinesRequest): Promise<void>;
  close(): Promise<void>;
}

/** Time for a whole answer, in milliseconds; the API server itself gives up after a minute. */
const requestTimeoutMs = 60_000;
const headersTimeoutMs = 15_000;

interface StatusObject {
  readonly message?: string;
  readonly reason?: string;
}

function parseStatus(text: string): StatusObject {
  try {
    return JSON.parse(text) as StatusObject;
  } catch {
    return { message: text.trim().slice(0, 500) }; // a proxy in between, or the API server while it starts
  }
}

async function toApiError({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<ApiError> {
  const { message, reason } = parseStatus(await body.text());
  const retryAfter = Number(headers['retry-after']);
  return new ApiError(
    statusCode,
    reason ?? '',
    message === undefined || message === '' ? `the API server answers ${statusCode}` : message,
    Number.isFinite(retryAfter) && headers['retry-after'] !== undefined ? retryAfter : undefined,
  );
}

const pathWithQuery = (path: string, query: Readonly<Record<string, string>> = {}): string => {
  const text = new URLSearchParams(query).toString();
  return text === '' ? path : `${path}?${text}`;
};

/**
 * Gives the lines of what comes; what is left at the end was cut off and is dropped. By callback, since a
 * generator that waits for more holds on to what it gave last: a Secret.
 */
async function readLines(body: Readable, onLine: (line: string) => void): Promise<void> {
  let rest = '';
  const take = (chunk: string): void => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
  body.setEncoding('utf8');
  body.on('data', (chunk: string) => {
    try {
      take(chunk);
    } catch (error) {
      body.destroy(error as Error);
    }
  });
  await finished(body);
}

/**
 * Connects to the API server of a kubeconfig, or without one to that of the pod. Nothing is sent yet.
 * `onAnswer` is told of every answer, for counting.
 *
 * @throws Error when there is no such file, or it names no cluster
 */
export async function connectKubernetes(
  kubeconfig: string | undefined,
  onAnswer?: (method: string, status: number) => void,
  now: () => number = () => performance.now(),
): Promise<KubernetesConnection> {
  const identity = await renewedCredentials(kubeconfig, now);

  const send = async (
    used: Credentials,
    options: Omit<Dispatcher.RequestOptions, 'origin'>,
  ): Promise<Dispatcher.ResponseData> =>
    used.dispatcher.request({
      ...options,
      origin: used.server,
      path: `${new URL(used.server).pathname.replace(/\/$/, '')}${options.path}`,
      headers: {
        accept: 'application/json',
        'user-agent': 'latchkey',
        ...(options.headers as Record<string, string>),
        ...(await used.authorization()),
      },
    });

  /** Sends a request, with a new identity if the old one is refused. @throws ApiError */
  const exchange = async (options: Omit<Dispatcher.RequestOptions, 'origin'>): Promise<Dispatcher.ResponseData> => {
    const used = identity.current;
    let response = await send(used, options);
    if (response.statusCode === 401) {
      const refusal = await toApiError(response);
      if (!(await identity.renew(used))) {
        onAnswer?.(options.method, 401);
        throw refusal;
      }
      response = await send(identity.current, options);
    }
    onAnswer?.(options.method, response.statusCode);
    if (response.statusCode >= 400) throw await toApiError(response);
    return response;
  };

  return {
    namespace: identity.current.namespace,

    async request<T>({ method, path, query, body, contentType, signal }: ApiRequest): Promise<T> {
      const { body: answer } = await exchange({
        method,
        path: pathWithQuery(path, query),
        headersTimeout: requestTimeoutMs,
        bodyTimeout: requestTimeoutMs,
        ...(signal === undefined ? {} : { signal }),
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': contentType ?? 'application/json' } }),
      });
      return (await answer.json()) as T;
    },

    async lines({ path, query, silenceMs, signal, onOpen, onLine }) {
      const { body } = await exchange({
        method: 'GET',
        path: pathWithQuery(path, query),
        headersTimeout: headersTimeoutMs,
        bodyTimeout: silenceMs,
        signal,
      });
      onOpen?.();
      await readLines(body, onLine);
    },

    async close() {
      await identity.current.dispatcher.destroy();
    },
  };
}
