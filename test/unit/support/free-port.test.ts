import { expect, test } from 'vitest';
import { freePort } from '../../support/free-port.ts';

test('nobody is given a port that another was given and does not listen on yet', async () => {
  const ports = new Set<number>();
  for (let asked = 0; asked < 400; asked++) ports.add(await freePort());
  expect(ports.size).toBe(400);
});
