/** Both ends of tunnels, on bare sockets. */
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { until } from './until.ts';

const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** An upstream that switches to whatever is asked of it, for the length of a test. */
export async function startTunnelUpstream() {
  const sockets: Socket[] = [];
  let waiting: ((socket: Socket) => void) | undefined;
  const server = createServer((_, response) => void response.end('no upgrade'));
  server.on('upgrade', (_, socket: Socket) => {
    socket.on('error', () => undefined);
    socket.write(switched);
    sockets.push(socket);
    waiting?.(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  return {
    server,
    port: (server.address() as AddressInfo).port,
    /** The other end of what the client gets. */
    async open(gatewayPort: number, headers: Readonly<Record<string, string>> = {}, target = '/') {
      const reached = new Promise<Socket>((resolve) => (waiting = resolve));
      const client = await openClient(gatewayPort, upgradeHead(headers, target));
      return { client, upstream: await reached };
    },
  };
}

/** The head of an upgrade to WebSockets. */
export function upgradeHead(headers: Readonly<Record<string, string>> = {}, target = '/'): string {
  const lines = Object.entries({
    Host: 'a',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** A client whose upgrade has been answered 101; what came behind the head is still to be read. */
async function openClient(port: number, request: string): Promise<Socket> {
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => undefined);
  onTestFinished(() => void client.destroy());
  client.write(request);
  let head = '';
  await until({
    what: 'an answer to the upgrade',
    holds: () => {
      // Byte by byte: nothing of what follows is taken.
      for (let byte: Buffer | null; !head.endsWith('\r\n\r\n') && (byte = client.read(1) as Buffer | null);)
        head += byte.toString('latin1');
      return head.endsWith('\r\n\r\n');
    },
    subscribe: (check) => {
      client.on('readable', check);
      return () => client.off('readable', check);
    },
  });
  if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`the upgrade was answered ${head}`);
  return client;
}

/** The number of bytes that came until the other side ended, or the connection was cut. */
export async function bytesUntilEnd(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => (bytes += chunk.byteLength));
  await new Promise<void>((resolve) => {
    socket.once('end', resolve).once('close', resolve);
    socket.resume();
  });
  return bytes;
}
