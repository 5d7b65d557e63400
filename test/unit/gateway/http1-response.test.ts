/** Responses as they leave, and what is told of them, beside Node's own: its server is to do the same with both. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  connectTo,
  empty,
  head,
  received,
  requests,
  sent,
  withoutDate,
  type Answer,
  type Kind,
  type Response,
} from '../../support/response-servers.ts';

/** Node makes one chunk of all that is written in a turn; what matters is what is in them. */
function joinChunks(text: string): string {
  const at = text.indexOf('\r\n\r\n', text.indexOf('Transfer-Encoding: chunked')) + 4;
  if (!text.includes('Transfer-Encoding: chunked')) return text;
  let [body, rest] = ['', text.slice(at)];
  for (;;) {
    const line = /^([0-9a-f]+)\r\n/.exec(rest);
    if (line === null) return `${text.slice(0, at)}[${body}]${rest}`; // broken off
    const size = Number.parseInt(line[1] ?? '', 16);
    rest = rest.slice(line[0].length);
    if (size === 0) return `${text.slice(0, at)}[${body}]${joinChunks(rest)}`;
    body += rest.slice(0, size);
    rest = rest.slice(size + 2);
  }
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const length = (of: number): string[] => ['Content-Length', String(of)];
const expecting = head('POST / HTTP/1.1', 'Host: a', 'Expect: 100-continue', 'Content-Length: 0');

/** Ways to write a response. */
const ways: Readonly<Record<string, { readonly request?: string; readonly answer: Answer }>> = {
  'chunks, a turn each': {
    answer: (_, response) => {
      response.writeHead(200, 'OK', []).write(bytes('one'));
      setImmediate(() => {
        response.write(bytes('two'));
        setImmediate(() => response.end());
      });
    },
  },
  'chunks in one turn, the last with its end': {
    answer: (_, response) => {
      response.writeHead(200, 'OK', []).write(bytes('one'));
      response.write(bytes(''));
      response.write(bytes('two'));
      response.end(bytes('three'));
    },
  },
  'a part at a time of a length': {
    answer: (_, response) => {
      response.writeHead(200, 'OK', length(6)).write(bytes('one'));
      setImmediate(() => response.end(bytes('two')));
    },
  },
  'a whole body, and then its end': {
    answer: (_, response) => {
      response.writeHead(200, 'OK', length(3)).write(bytes('one'));
      setImmediate(() => response.end());
    },
  },
  'text in UTF-8': {
    answer: (_, response) => response.writeHead(200, 'OK', length(4)).end('é!\n', 'utf8'),
  },
  'a head by itself': {
    answer: (_, response) => {
      response.writeHead(200, 'OK', length(3)).flushHeaders();
      setImmediate(() => response.end(bytes('one')));
    },
  },
  'a head by itself, of chunks that never come': {
    answer: (_, response) => {
      response.writeHead(200, 'OK', []).flushHeaders();
      setImmediate(() => response.end());
    },
  },
  trailers: {
    answer: (_, response) => {
      response.writeHead(200, 'OK', ['Trailer', 'X-A']).write(bytes('one'));
      response.addTrailers([
        ['X-A', 'b'],
        ['X-C', 'd'],
      ]);
      response.end();
    },
  },
  'interim responses': {
    answer: (_, response) => {
      response.writeInformation(103, ['Link', '</a>', 'X-A', 'b']);
      response.writeInformation(199, []);
      response.writeHead(200, 'OK', length(3)).end('one', 'latin1');
    },
  },
  'a body to HEAD': {
    request: requests.HEAD,
    answer: (_, response) => {
      response.writeHead(200, 'OK', length(3)).write(bytes('one'));
      setImmediate(() => response.end());
    },
  },
  'a body to 204': {
    answer: (_, response) => {
      response.writeHead(204, 'No Content', []).write(bytes('one'));
      response.end(bytes('two'));
    },
  },
  'a body that is waited for': {
    request: expecting,
    answer: (_, response) => {
      response.writeContinue();
      response.writeHead(200, 'OK', length(3)).end('one', 'latin1');
    },
  },
  'a body that nobody waits for': {
    request: expecting,
    answer: (_, response) => response.writeHead(200, 'OK', length(3)).end('one', 'latin1'),
  },
  'two ends': {
    answer: (_, response) => {
      response.writeHead(200, 'OK', length(3)).end('one', 'latin1');
      response.end();
      response.once('finish', () => response.end());
    },
  },
  'an end in the middle of a body': {
    answer: (_, response) => {
      response.writeHead(200, 'OK', length(6)).write(bytes('one'));
      setImmediate(() => setImmediate(() => response.destroy()));
    },
  },
  'an end before the head': {
    answer: (_, response) => response.destroy(),
  },
};

test.for(Object.entries(ways))('written as Node does: %s', async ([, { request = requests['HTTP/1.1'], answer }]) => {
  const [ours, nodes] = [await sent('ours', { request, answer }), await sent('nodes', { request, answer })];
  expect(joinChunks(withoutDate(ours))).toBe(joinChunks(withoutDate(nodes)));
});

/** What is told of a response, in its order, with what it says of itself in those moments. */
async function fateOf(kind: Kind, answer: Answer, act: (socket: Socket) => void): Promise<string[]> {
  const events: string[] = [];
  const closed = Promise.withResolvers<void>();
  const serve: Answer = (request, response) => {
    const note = (event: string): void => {
      const { destroyed, headersSent, writableEnded, writableFinished } = response;
      const state = Object.entries({ destroyed, headersSent, writableEnded, writableFinished });
      events.push([event, ...state.filter(([, is]) => is).map(([name]) => name)].join(' '));
    };
    response.once('finish', () => note('finish'));
    response.once('close', () => {
      note('close');
      closed.resolve();
    });
    request.socket.once('error', () => note('error of the connection'));
    note('start');
    answer(request, response);
    note('answered');
  };
  const socket = await connectTo(kind, serve);
  socket.on('error', () => undefined).write(requests['HTTP/1.1']);
  act(socket);
  await closed.promise;
  return events;
}

const fates: Readonly<Record<string, { readonly answer: Answer; readonly act?: (socket: Socket) => void }>> = {
  'is sent in one piece': { answer: (_, response) => response.writeHead(200, 'OK', length(3)).end('one', 'latin1') },
  'is sent without a body': { answer: (_, response) => response.writeHead(204, 'No Content', []).end() },
  'is sent in parts': {
    answer: (_, response) => {
      response.writeHead(200, 'OK', []).write(bytes('one'));
      setImmediate(() => response.end());
    },
  },
  'is the last': {
    answer: (_, response) => response.writeHead(200, 'OK', ['Connection', 'close', ...empty]).end(),
  },
  'is cut': {
    answer: (_, response) => {
      response.writeHead(200, 'OK', []).write(bytes('one'));
      response.destroy();
    },
  },
  'is written to a connection that has ended': {
    answer: ({ socket }, response) => {
      socket.end();
      response.writeHead(200, 'OK', []).write(bytes('one'));
      response.end();
    },
  },
  'is too much for a client that goes away': {
    answer: (_, response) => response.writeHead(200, 'OK', length(1 << 24)).end(Buffer.alloc(1 << 24)),
    act: (socket) => void socket.once('data', () => socket.resetAndDestroy()),
  },
  'loses its client': { answer: ({ socket }) => socket.on('end', () => undefined), act: (socket) => void socket.end() },
  'loses its client amid the body': {
    answer: (_, response) => void response.writeHead(200, 'OK', []).write(bytes('one')),
    act: (socket) => void socket.once('data', () => socket.resetAndDestroy()),
  },
};

test.for(Object.entries(fates))('told as Node does of one that %s', async ([, { answer, act }]) => {
  const [ours, nodes] = [
    await fateOf('ours', answer, act ?? (() => {})),
    await fateOf('nodes', answer, act ?? (() => {})),
  ];
  expect(ours).toEqual(nodes);
  expect(ours.at(-1)).toContain('close');
});

describe.for(['ours', 'nodes'] as const)('%s', (kind) => {
  test('answers leave in the order of their requests, whichever was ready first', async () => {
    const waiting: Response[] = [];
    const answerAll = (): void => {
      for (const response of waiting.toReversed()) {
        response.writeInformation(103, ['X-Of', response.req.url ?? '']);
        response.writeHead(200, 'OK', []).write(bytes(`first of ${response.req.url}`));
        response.end(bytes(`second of ${response.req.url}`));
      }
    };
    const socket = await connectTo(kind, (_, response) => {
      if (waiting.push(response) === 3) answerAll();
    });
    const ask = (path: string, ...more: string[]): string => head(`GET ${path} HTTP/1.1`, 'Host: a', ...more);
    socket.write(ask('/a') + ask('/b') + ask('/c', 'Connection: close'));
    const text = await received(socket);
    expect(text.match(/X-Of: \/\w|(first|second) of \/\w/g)).toEqual(
      ['/a', '/b', '/c'].flatMap((path) => [`X-Of: ${path}`, `first of ${path}`, `second of ${path}`]),
    );
  });

  test('whose client takes nothing is told of it, and of when there is room again', async () => {
    const part = Buffer.alloc(64 * 1024, 'a');
    const parts = 400;
    let [written, blocked, released] = [0, 0, 0];
    const blockedOnce = Promise.withResolvers<void>();
    const writeOn = (response: Response): void => {
      while (written < parts) {
        written += 1;
        if (response.write(part, () => (released += 1))) continue;
        blocked += 1;
        blockedOnce.resolve();
        return void response.once('drain', () => writeOn(response));
      }
      response.end();
    };
    const socket = await connectTo(kind, (_, response) => {
      response.writeHead(200, 'OK', [...length(parts * part.byteLength), 'Connection', 'close']);
      writeOn(response);
    });
    socket.pause().write(requests['HTTP/1.1']);
    await blockedOnce.promise;
    expect(written).toBeLessThan(parts);
    const text = await received(socket.resume());
    expect(text.length - text.indexOf('\r\n\r\n') - 4).toBe(parts * part.byteLength);
    expect([blocked > 1, released]).toEqual([true, parts]);
  });

  test('a text that does not leave at once is finished when all of it has left, and the next answer follows', async () => {
    const size = 16 * 1024 * 1024;
    const finished: string[] = [];
    const ended = Promise.withResolvers<Response>();
    const socket = await connectTo(kind, (request, response) => {
      response.once('finish', () => finished.push(request.url ?? ''));
      if (request.url === '/next') return response.writeHead(200, 'OK', empty).end();
      response.writeHead(200, 'OK', length(size)).end('a'.repeat(size), 'latin1');
      ended.resolve(response);
    });
    socket.pause().write(head('GET /long HTTP/1.1', 'Host: a'));
    const { req, writableFinished } = await ended.promise;
    await new Promise((resolve) => setImmediate(resolve)); // finished by now, if it had left
    expect([finished, writableFinished, req.socket.writableLength > 0]).toEqual([[], false, true]);
    socket.write(head('GET /next HTTP/1.1', 'Host: a', 'Connection: close'));
    const text = await received(socket.resume());
    expect(text.lastIndexOf('HTTP/1.1 200 OK') - text.indexOf('\r\n\r\n') - 4).toBe(size);
    expect(finished).toEqual(['/long', '/next']);
  });

  test('one that waits for its turn is full as well, and has room once it is there', async () => {
    const part = Buffer.alloc(256 * 1024, 'a');
    const arrived: Response[] = [];
    const both = Promise.withResolvers<void>();
    const socket = await connectTo(kind, (_, response) => {
      if (arrived.push(response) === 2) both.resolve();
    });
    socket.write(requests['HTTP/1.1'] + requests['HTTP/1.1 that closes']);
    await both.promise;
    const [first, second] = arrived;
    const drained = Promise.withResolvers<void>();
    second?.once('drain', drained.resolve);
    expect(second?.writeHead(200, 'OK', length(part.byteLength * 2)).write(part)).toBe(false);
    const text = received(socket);
    first?.writeHead(200, 'OK', empty).end();
    await drained.promise;
    second?.end(part);
    expect((await text).match(/a{1000}/g)?.length).toBe(Math.floor((part.byteLength * 2) / 1000));
  });

  test('requests whose answers nobody takes are read no more', async () => {
    let asked = 0;
    const all = 2_000;
    const firstAsked = Promise.withResolvers<Response>();
    const stopped = Promise.withResolvers<void>();
    const socket = await connectTo(kind, (request, response) => {
      asked += 1;
      if (asked === 1) {
        request.socket.once('pause', stopped.resolve);
        return firstAsked.resolve(response); // all others wait for it
      }
      response.writeHead(200, 'OK', length(1_000)).end('a'.repeat(1_000), 'latin1');
    });
    // More than one read of the server.
    const long = head('GET / HTTP/1.1', 'Host: a', `X-A: ${'a'.repeat(500)}`);
    socket.write(long.repeat(all - 1) + requests['HTTP/1.1 that closes']);
    await stopped.promise;
    expect(asked).toBeLessThan(all);
    const text = received(socket);
    (await firstAsked.promise).writeHead(200, 'OK', empty).end();
    expect((await text).match(/HTTP\/1\.1 200 OK/g)?.length).toBe(all);
  });
});

test('a connection that serves many requests has no more listeners for it', async () => {
  const listeners: number[] = [];
  const answer: Answer = ({ socket }, response) => {
    response.once('finish', () => listeners.push(socket.listenerCount('close')));
    response.writeHead(200, 'OK', empty).end();
  };
  const socket = await connectTo('ours', answer);
  socket.write(requests['HTTP/1.1'].repeat(20) + requests['HTTP/1.1 that closes']);
  await received(socket);
  expect([listeners.length, new Set(listeners).size]).toEqual([21, 1]);
});

test('one that breaks off before its turn cuts the connection when that comes', async () => {
  const arrived: Response[] = [];
  const broken = Promise.withResolvers<void>();
  let closed = 0;
  const socket = await connectTo('ours', (_, response) => {
    if (arrived.push(response) < 2) return;
    response.once('close', () => {
      closed += 1;
      broken.resolve();
    });
    response.writeHead(200, 'OK', length(6)).write(bytes('one'));
    response.destroy();
  });
  socket.write(requests['HTTP/1.1'] + requests['HTTP/1.1']);
  await broken.promise;
  const text = received(socket);
  arrived[0]?.writeHead(200, 'OK', length(5)).end('first', 'latin1');
  expect(await text).toMatch(/\r\n\r\nfirst$/);
  expect(closed).toBe(1);
});

test('those that wait on a connection that Node hands over are told when it closes', async () => {
  const closed: string[] = [];
  const all = Promise.withResolvers<void>();
  const socket = await connectTo('ours', (request, response) => {
    const { server } = request.socket as typeof request.socket & { server: Server };
    if (request.url === '/1') server.once('connect', (_, connection) => connection.destroy());
    response.once('close', () => {
      if (closed.push(request.url ?? '') === 3) all.resolve();
    });
  });
  const ask = (path: string): string => head(`GET ${path} HTTP/1.1`, 'Host: a');
  socket.write(ask('/1') + ask('/2') + ask('/3') + head('CONNECT a:1 HTTP/1.1', 'Host: a:1'));
  await all.promise;
  expect(closed).toEqual(['/1', '/2', '/3']);
});

test('what is written behind the end goes nowhere', async () => {
  const answer: Answer = (_, response) => {
    response.writeHead(200, 'OK', length(3)).end('one', 'latin1');
    expect(response.write(bytes('two'))).toBe(true);
  };
  const text = await sent('ours', { request: requests['HTTP/1.1'], answer });
  expect(text).toMatch(/\r\n\r\noneHTTP\/1\.1 200/);
});

test('a head that comes behind the end goes nowhere', async () => {
  const answer: Answer = (_, response) => {
    response.writeHead(200, 'OK', length(3)).end('one', 'latin1');
    response.writeHead(200, 'OK', length(3)).flushHeaders();
  };
  expect((await sent('ours', { request: requests['HTTP/1.1'], answer })).match(/HTTP\/1\.1 200/g)?.length).toBe(2);
});

test('one whose connection has ended asks for no more', async () => {
  const told = Promise.withResolvers<boolean>();
  const socket = await connectTo('ours', ({ socket: connection }, response) => {
    connection.end();
    told.resolve(response.writeHead(200, 'OK', []).write(bytes('one')));
  });
  socket.write(requests['HTTP/1.1']);
  expect(await told.promise).toBe(false);
});

test('one whose connection has ended before its turn is not written', async () => {
  const arrived: Response[] = [];
  const told = Promise.withResolvers<void>();
  const socket = await connectTo('ours', ({ socket: connection }, response) => {
    if (arrived.push(response) < 2) return;
    response.once('close', told.resolve);
    connection.once('error', told.reject);
    response.writeHead(200, 'OK', length(6)).end('second', 'latin1');
    arrived[0]?.writeHead(200, 'OK', length(5)).end('first', 'latin1');
    connection.end();
  });
  socket.write(requests['HTTP/1.1'] + requests['HTTP/1.1']);
  expect(await received(socket)).toMatch(/\r\n\r\nfirst$/);
  await told.promise;
});

test.for([
  ['a part of a body', 'GET', bytes('one')],
  ['no byte', 'GET', bytes('')],
  ['what HEAD has no use for', 'HEAD', bytes('one')],
] as const)('who gave %s is told that it is no longer needed', async ([, method, part]) => {
  const released: string[] = [];
  const socket = await connectTo('ours', (_, response) => {
    response.writeHead(200, 'OK', []).write(part, () => released.push('written'));
    response.end(part, () => released.push('end'));
  });
  socket.write(head(`${method} / HTTP/1.1`, 'Host: a', 'Connection: close'));
  await received(socket);
  expect(released.toSorted()).toEqual(['end', 'written']);
});

test('who gave the whole of a body is told that it is no longer needed', async () => {
  const released = Promise.withResolvers<void>();
  const socket = await connectTo('ours', (_, response) => {
    response.writeHead(200, 'OK', length(3)).end(bytes('one'), released.resolve);
  });
  socket.write(requests['HTTP/1.1']);
  await released.promise;
});
