/** Callers that keep their connection for as long as the gateway lets them. */
import { Agent, request as httpRequest } from 'node:http';
import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import type { Asked } from './until-status.ts';

export interface KeptCaller {
  /** A status, or the code of the error in its place. */
  ask(): Promise<string>;
  close(): void;
}

export type CallerProtocol = 'http' | 'https' | 'h2' | 'h2c';

const headersOf = ({ key, host }: Asked) => ({
  ...(key === undefined ? {} : { apikey: key }),
  ...(host === undefined ? {} : { host }),
});

function http1Caller(asked: Asked, protocol: 'http' | 'https'): KeptCaller {
  const [agent, send] =
    protocol === 'http'
      ? [new Agent({ keepAlive: true, maxSockets: 1 }), httpRequest]
      : [new TlsAgent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false }), httpsRequest];
  const { port, path } = asked;
  return {
    ask: async () =>
      new Promise((resolve) => {
        const request = send({ port, host: '127.0.0.1', path, headers: headersOf(asked), agent });
        request.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        request.once('response', (response) => {
          response.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
          response.once('end', () => resolve(String(response.statusCode)));
          response.resume();
        });
        request.end();
      }),
    close: () => agent.destroy(),
  };
}

/** The status; `unprocessed` where the gateway has said that it did nothing, so that asking again is safe (RFC 9113 8.7). */
async function http2Answer(session: ClientHttp2Session, asked: Asked): Promise<string> {
  return new Promise((resolve) => {
    const stream = session.request({ ':path': asked.path, ...headersOf(asked) });
    let status = 'none';
    stream.on('response', (headers) => (status = String(headers[':status'])));
    stream.resume();
    stream.on('error', () => undefined);
    stream.on('close', () => {
      if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) resolve('unprocessed');
      else resolve(stream.rstCode === constants.NGHTTP2_NO_ERROR ? status : `reset ${stream.rstCode}`);
    });
  });
}

function http2Caller(asked: Asked, scheme: 'http' | 'https'): KeptCaller {
  let session: ClientHttp2Session | undefined;
  const open = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const opened = connectHttp2(`${scheme}://127.0.0.1:${asked.port}`, { rejectUnauthorized: false });
    opened.on('error', () => undefined);
    session = opened;
    return opened;
  };
  return {
    async ask() {
      for (;;) {
        const answer = await http2Answer(open(), asked);
        if (answer !== 'unprocessed') return answer;
        session = undefined;
      }
    },
    close: () => session?.destroy(),
  };
}

/** One caller; it never has two requests under way. */
export function keptCaller(asked: Asked, protocol: CallerProtocol): KeptCaller {
  if (protocol === 'h2' || protocol === 'h2c') return http2Caller(asked, protocol === 'h2' ? 'https' : 'http');
  return http1Caller(asked, protocol);
}
