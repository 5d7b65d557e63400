import { EventEmitter } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { until } from './until.ts';

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nupstream';

/** Where the first request of these bytes ends; undefined while it has not come whole. */
export function endOfRequest(bytes: string): number | undefined {
  const head = bytes.indexOf('\r\n\r\n');
  if (head === -1) return undefined;
  const fields = bytes.slice(0, head);
  const length = /\r\ncontent-length: *(\d+)/i.exec(fields)?.[1];
  if (/\r\ntransfer-encoding:/i.test(fields)) {
    const last = /(?:^|\r\n)0\r\n(?:[^\r]+\r\n)*\r\n/.exec(bytes.slice(head + 4));
    return last === null ? undefined : head + 4 + last.index + last[0].length;
  }
  const end = head + 4 + Number(length ?? 0);
  return bytes.length < end ? undefined : end;
}

/** An upstream on bare TCP that keeps every byte it is sent and answers each request 200 `upstream`. */
export async function startRawUpstream() {
  const events = new EventEmitter();
  /** What came on each connection and is no whole request yet. */
  const pending = new Map<Socket, string>();
  let whole: string[] = [];
  let cut = '';

  const receive = (socket: Socket, bytes: string): void => {
    let rest = (pending.get(socket) ?? '') + bytes;
    for (let end = endOfRequest(rest); end !== undefined; end = endOfRequest(rest)) {
      whole.push(rest.slice(0, end));
      rest = rest.slice(end);
      socket.write(answer);
      events.emit('seen');
    }
    pending.set(socket, rest);
    events.emit('received');
  };

  const server = createServer((socket) => {
    pending.set(socket, '');
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => receive(socket, chunk.toString('latin1')));
    socket.on('close', () => {
      cut += pending.get(socket) ?? '';
      pending.delete(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    port: (server.address() as AddressInfo).port,
    /** Requests as they came, and bytes of those that have not come whole; forgets them. */
    take(): { readonly requests: readonly string[]; readonly partial: string } {
      const taken = { requests: whole, partial: [cut, ...pending.values()].join('') };
      for (const socket of pending.keys()) pending.set(socket, '');
      whole = [];
      cut = '';
      return taken;
    },
    /** Resolves once such a request has come. */
    async untilSeen(path: string): Promise<void> {
      await until({
        what: `the upstream sees ${path}`,
        holds: () => whole.some((request) => request.includes(` ${path} HTTP/1.1\r\n`)),
        subscribe: (check) => {
          events.on('seen', check);
          return () => events.off('seen', check);
        },
      });
    },
    /** Resolves once a request that is not whole yet has these bytes. */
    async untilPartial(bytes: string): Promise<void> {
      await until({
        what: `the upstream gets ${bytes}`,
        holds: () => [...pending.values()].some((part) => part.includes(bytes)),
        subscribe: (check) => {
          events.on('received', check);
          return () => events.off('received', check);
        },
      });
    },
    async close(): Promise<void> {
      for (const socket of pending.keys()) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
