/** Connections to a gateway that have each asked once, and are kept without asking again. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** What is asked, and the end of the answer. */
export interface Question {
  /** With `http:` or `https:`. */
  readonly url: string;
  readonly key: string;
  readonly answer: string;
}

export interface KeptConnections {
  /** Those that are still open. */
  open(): number;
  close(): void;
}

/** How many ask at a time: a gateway needs no more connections to its upstream than that. */
const atOnce = 16;

function socketTo({ protocol, port }: URL): Socket {
  const address = { host: '127.0.0.1', port: Number(port) };
  const overTls = { ...address, servername: 'localhost', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] };
  const socket = protocol === 'http:' ? connect(address) : connectTls(overTls);
  return socket.setEncoding('utf8').on('error', () => undefined); // `close` follows
}

/** Resolves once the answer is there. Rejects if another came, or none. */
async function askOn(socket: Socket, { url, key, answer }: Question): Promise<void> {
  const { pathname } = new URL(url);
  let text = '';
  const heard = new Promise<void>((resolve, reject) => {
    const onData = (chunk: string): void => {
      text += chunk;
      if (!text.includes(answer)) return;
      socket.off('data', onData).off('close', onClose);
      resolve();
    };
    const onClose = (): void => reject(new Error(`a connection closed after: ${text}`));
    socket.on('data', onData).once('close', onClose);
  });
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: localhost\r\napikey: ${key}\r\n\r\n`);
  await heard;
  socket.resume(); // else it would not see that it is closed
}

/** Asks so often on so many connections, one after the other: what a gateway needs at work it has after that. */
export async function askOften(question: Question, times: number): Promise<void> {
  const sockets = Array.from({ length: atOnce }, () => socketTo(new URL(question.url)));
  const askSome = async (socket: Socket): Promise<void> => {
    for (let n = 0; n < times; n += atOnce) await askOn(socket, question);
    socket.destroy();
  };
  await Promise.all(sockets.map(askSome));
}

/** Opens connections, asks once on each, and keeps them. */
export async function keepConnections(question: Question, count: number): Promise<KeptConnections> {
  const sockets: Socket[] = [];
  const openSome = async (): Promise<void> => {
    while (sockets.length < count) {
      const socket = socketTo(new URL(question.url));
      sockets.push(socket);
      await askOn(socket, question);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, openSome));
  return {
    open: () => sockets.filter((socket) => socket.readable && socket.writable).length,
    close(): void {
      for (const socket of sockets) socket.destroy();
    },
  };
}
