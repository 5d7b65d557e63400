/** Upstreams that say what they were told, one of which dies and comes back. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an upstream answers. */
export interface Echo {
  readonly upstream: string;
  readonly path: string;
  readonly consumer?: string;
  readonly bytes: number;
}

/** A path that ends so is answered only after this long: its upstream can die under it. */
export const slowEnding = '/slow';
const slowMs = 30;

function echoServer(upstream: string) {
  /** Paths of requests that came and were not answered yet. Every path is asked for once. */
  const underWay = new Set<string>();
  const server = createServer((request, response) => {
    const { url: path = '', headers } = request;
    let bytes = 0;
    underWay.add(path);
    const answer = (): void => {
      underWay.delete(path);
      const echo: Echo = { upstream, path, bytes, consumer: String(headers['x-consumer-username']) };
      response.end(JSON.stringify(echo));
    };
    request.on('data', (chunk: Buffer) => (bytes += chunk.byteLength));
    request.on('end', () => (path.endsWith(slowEnding) ? setTimeout(answer, slowMs) : answer()));
    request.on('error', () => undefined); // it was cut
  });
  // Longer than a gateway keeps a connection: an upstream that closes first is another matter.
  server.keepAliveTimeout = 300_000;
  return { server, underWay };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** An upstream that stays; its server, for what else it may serve. */
export async function startSteady(): Promise<{ readonly port: number; readonly server: Server }> {
  const { server } = echoServer('steady');
  return { port: await listen(server, 0), server };
}

/** An upstream that dies when it is told to, and knows what died with it. */
export interface MortalUpstream {
  readonly port: number;
  /** Cuts every connection and listens no more. */
  die(): void;
  revive(): Promise<void>;
  deaths(): number;
  /** Whether it had the request when it died, and had not answered. */
  hadUnderWay(path: string): boolean;
  diedBetween(fromMs: number, toMs: number): boolean;
}

export async function startMortal(): Promise<MortalUpstream> {
  const cut = new Set<string>();
  const deathsMs: number[] = [];
  let current = echoServer('mortal');
  const port = await listen(current.server, 0);
  return {
    port,
    die(): void {
      for (const path of current.underWay) cut.add(path);
      deathsMs.push(performance.now());
      current.server.close();
      current.server.closeAllConnections();
    },
    async revive(): Promise<void> {
      current = echoServer('mortal');
      await listen(current.server, port);
    },
    deaths: () => deathsMs.length,
    hadUnderWay: (path) => cut.has(path),
    diedBetween: (fromMs, toMs) => deathsMs.some((ms) => ms >= fromMs && ms <= toMs),
  };
}
