/** The kernel gives each new connection to one of the workers that listen on the port (SO_REUSEPORT). */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { barePool } from '../support/bare-pool.ts';

const connections = 1_000;

test.for([2, 4])('a thousand connections are spread evenly over %i workers', async (workers) => {
  const { pool, port, reports } = await barePool({ workers });
  await pool.open();
  const sockets = Array.from({ length: connections }, () => connect({ port, host: '127.0.0.1' }));
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  await Promise.all(sockets.map(async (socket) => once(socket, 'connect')));
  const shares = (): number[] => [...reports.values()].map((report) => report.connections);
  while (shares().reduce((sum, share) => sum + share, 0) < connections) await pool.collect();
  // Chosen by a hash of the addresses: of 1,000 over 4 the least is below 0.7 of a fair share once in 10 million times.
  expect(Math.min(...shares()) / (connections / workers)).toBeGreaterThan(0.7);
});
