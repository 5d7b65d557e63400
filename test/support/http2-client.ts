import { connect, constants, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { onTestFinished } from 'vitest';

/** What came back on a stream. */
export interface Http2Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

/** A session that ends with the test. */
export function openHttp2(url: string, options: Parameters<typeof connect>[1] = {}): ClientHttp2Session {
  const lenient = { rejectUnauthorized: false, strictSingleValueFields: false };
  const session = connect(url, { ...lenient, ...options });
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  return session;
}

/** Sends a request on a session. Rejects when the stream is reset. */
export async function askHttp2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: readonly string[],
): Promise<Http2Answer> {
  const stream = session.request(headers, { endStream: body === undefined });
  for (const part of body ?? []) stream.write(part);
  if (body !== undefined) stream.end();
  return new Promise((resolve, reject) => {
    let answer: Readonly<Record<string, unknown>> = {};
    let trailers: Readonly<Record<string, unknown>> = {};
    let text = '';
    stream.setEncoding('utf8');
    stream.on('response', (received) => (answer = received));
    stream.on('trailers', (received) => (trailers = received));
    stream.on('data', (chunk: string) => (text += chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      const status = Number(answer[constants.HTTP2_HEADER_STATUS] ?? 0);
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR) resolve({ status, headers: answer, body: text, trailers });
      else reject(new Error(`reset ${stream.rstCode}`));
    });
  });
}
