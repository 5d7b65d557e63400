import type { RequestMessage } from './client-message.ts';

/** The start of a body that was read before it is forwarded. */
export interface TakenBody {
  readonly taken: Buffer;
  /** Whether that is all of it. */
  readonly isWhole: boolean;
}

/** Whether a request has a body at all (RFC 9112 section 6.3, RFC 9113 section 8.1). */
export function hasBody(request: RequestMessage): boolean {
  if (request.isFollowedByBody !== undefined) return request.isFollowedByBody;
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/**
 * Reads a body of at most `limitBytes`. Of a longer one only the start is taken, or nothing if its length
 * is stated; the rest stays in the request. Rejects when the client goes away.
 */
export async function takeBody(request: RequestMessage, limitBytes: number): Promise<TakenBody> {
  if (!hasBody(request)) return { taken: Buffer.alloc(0), isWhole: true };
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return { taken: Buffer.alloc(0), isWhole: false };
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > limitBytes) return { taken: Buffer.concat(chunks), isWhole: false };
  }
  return { taken: Buffer.concat(chunks), isWhole: true };
}

/**
 * The body to forward: what was taken, then the rest as it comes. It never destroys the request, whose
 * connection must stay fit for an answer when the upstream fails.
 */
export async function* restOfBody(
  request: RequestMessage,
  taken: Buffer | undefined,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  if (taken !== undefined && taken.byteLength > 0) {
    onBytes(taken.byteLength);
    yield taken;
  }
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    onBytes(chunk.byteLength);
    yield chunk;
  }
}
