/** Waiting for sockets and streams without leaving listeners behind: of a large body one waits thousands of times. */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** Resolves with the first of an event and the close. */
async function eventOrClose(emitter: EventEmitter, event: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      emitter.off(event, done).off('close', done);
      resolve();
    };
    emitter.on(event, done).on('close', done);
  });
}

/** Resolves once a stream takes more, or never will. */
export async function drained(stream: Writable): Promise<void> {
  if (!stream.closed && stream.writableNeedDrain) await eventOrClose(stream, 'drain');
}

/** Resolves once a socket is connected, or never will be. */
export async function connected(socket: Socket): Promise<void> {
  if (socket.connecting) await eventOrClose(socket, 'connect');
}
