import { expect, test } from 'vitest';
import { reservePort } from '#gateway/pool.ts';

test('a port that was given is not given again while the probes stand', async () => {
  await using probes = new AsyncDisposableStack();
  const host = '127.0.0.1';
  const port = await reservePort({ host, port: 0 }, probes);
  await expect(reservePort({ host, port }, probes)).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
