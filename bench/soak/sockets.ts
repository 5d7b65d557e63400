/** WebSockets that stay open and answer, whatever happens besides. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import type { Ways } from './callers.ts';
import { noteFault, noteLoss, type Watch } from './watch.ts';
import { socketPath, stayingKey } from './world.ts';

export const sockets = 8;
const everyMs = 500;
const answerMs = 5_000;

/** Lets a server send every message back. */
export function echoMessages(server: Server): void {
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('message', (message) => socket.send(String(message)));
    socket.on('error', () => undefined);
  });
}

async function open(n: number, { port, httpsPort }: Ways): Promise<WebSocket> {
  const origin = n % 2 === 0 ? `ws://127.0.0.1:${port}` : `wss://127.0.0.1:${httpsPort}`;
  const options = { headers: { apikey: stayingKey(n) }, rejectUnauthorized: false };
  const socket = new WebSocket(origin + socketPath, options);
  await once(socket, 'open');
  socket.on('error', () => undefined); // `close` follows
  return socket;
}

/** Resolves once a message came back. Rejects if another came, none in time, or the end. */
async function echoed(socket: WebSocket, message: string): Promise<void> {
  const isOver = new AbortController();
  const signal = AbortSignal.any([isOver.signal, AbortSignal.timeout(answerMs)]);
  const closed = once(socket, 'close', { signal }).then(() => {
    throw new Error('it was closed');
  });
  const came = once(socket, 'message', { signal });
  socket.send(message);
  try {
    const [answer] = (await Promise.race([came, closed])) as unknown[];
    if (String(answer) !== message) throw new Error(`${message} came back as ${String(answer)}`);
  } finally {
    isOver.abort();
    await Promise.allSettled([came, closed]);
  }
}

async function keep(n: number, ways: Ways, { watch, signal }: { watch: Watch; signal: AbortSignal }): Promise<void> {
  let socket: WebSocket | undefined;
  for (let turn = 0; !signal.aborted; turn += 1) {
    const sinceMs = performance.now();
    try {
      socket ??= await open(n, ways);
      await echoed(socket, `${n}-${turn}`);
    } catch (error) {
      // It may have been cut at any time since it was last heard of.
      noteLoss(watch, sinceMs - everyMs, `WebSocket ${n}: ${(error as Error).message}`);
      socket?.terminate();
      socket = undefined;
    }
    await pause(everyMs);
  }
  if (socket !== undefined && socket.readyState !== WebSocket.OPEN)
    noteFault(watch, `WebSocket ${n}: closed at the end`);
  socket?.terminate();
}

/** Resolves when all are closed again, after they were told to stop. */
export async function keepSockets(ways: Ways, telling: { watch: Watch; signal: AbortSignal }): Promise<void> {
  await Promise.all(Array.from({ length: sockets }, async (_, n) => keep(n, ways, telling)));
}
