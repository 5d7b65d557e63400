import { createServer } from 'node:net';

/** Below what Linux gives to outgoing connections (from 32768 on): those could take the port before its user does. */
const [lowest, highest] = [15_000, 32_000];

/**
 * Test files run in processes side by side. Each takes its ports from a part of its own, one after another: a port
 * drawn at random could be drawn again, here or by a neighbour, before whoever was given it listens there.
 */
const parts = 34;
const perPart = (highest - lowest) / parts;
const first = lowest + (Number(process.env['VITEST_POOL_ID'] ?? 0) % parts) * perPart;
let next = Math.floor(Math.random() * perPart);

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** A port of 127.0.0.1 that nothing listens on now and that no other test is given meanwhile. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + (next++ % perPart);
    if (await isFree(port)) return port;
  }
}
