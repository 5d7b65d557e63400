/** Names against a real DNS server on the loopback, and a clock that the test moves. */
import { expect, onTestFinished, test } from 'vitest';
import { nameResolver } from '#gateway/resolve.ts';
import { startDnsServer, type DnsRecords } from '../../support/dns-server.ts';

async function start(records: Record<string, DnsRecords>) {
  const dns = await startDnsServer(records);
  onTestFinished(() => dns.close());
  let nowMs = 0;
  const names = nameResolver({ servers: [dns.server], nowMs: () => nowMs });
  return { dns, names, pass: (ms: number): void => void (nowMs += ms) };
}

const name = 'upstream.example';

test('an address is kept for as long as its TTL says, and not longer', async () => {
  const { dns, names, pass } = await start({ [name]: { addresses: ['192.0.2.1'], ttl: 30 } });
  expect(await names.next(name)).toBe('192.0.2.1');
  dns.records[name] = { addresses: ['192.0.2.2'], ttl: 30 };
  pass(29_999);
  expect(names.next(name)).toBe('192.0.2.1');
  pass(1);
  expect(await names.next(name)).toBe('192.0.2.2');
  expect(dns.asked).toEqual([name, name]);
});

test('every address of a name gets its turn', async () => {
  const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
  const { names } = await start({ [name]: { addresses, ttl: 30 } });
  const seen = [await names.next(name), names.next(name), names.next(name), names.next(name)];
  expect(new Set(seen)).toEqual(new Set(addresses));
  expect(seen[3]).toBe(seen[0]);
});

test('many requests at once ask once', async () => {
  const { dns, names } = await start({ [name]: { addresses: ['192.0.2.1'], ttl: 30 } });
  const found = await Promise.all(Array.from({ length: 20 }, async () => names.next(name)));
  expect(new Set(found)).toEqual(new Set(['192.0.2.1']));
  expect(dns.asked).toEqual([name]);
});

test('a name that does not exist leads nowhere, and is asked again after a second', async () => {
  const { dns, names, pass } = await start({});
  expect(await names.next(name)).toBeUndefined();
  dns.records[name] = { addresses: ['192.0.2.1'], ttl: 30 };
  pass(999);
  expect(names.next(name)).toBeUndefined();
  pass(1);
  expect(await names.next(name)).toBe('192.0.2.1');
});

test('a name that ceased to exist leads nowhere', async () => {
  const { dns, names, pass } = await start({ [name]: { addresses: ['192.0.2.1'], ttl: 1 } });
  await names.next(name);
  delete dns.records[name];
  pass(1_000);
  expect(await names.next(name)).toBeUndefined();
});

test('while no server can say, the addresses known last are used', async () => {
  const { dns, names, pass } = await start({ [name]: { addresses: ['192.0.2.1'], ttl: 1 } });
  await names.next(name);
  dns.records[name] = { addresses: [], ttl: 0, fails: true };
  pass(1_000);
  expect(await names.next(name)).toBe('192.0.2.1');
  dns.records[name] = { addresses: ['192.0.2.2'], ttl: 1 };
  pass(1_000);
  expect(await names.next(name)).toBe('192.0.2.2');
});

test('the operating system knows what DNS does not', async () => {
  const { dns, names } = await start({});
  expect(await names.next('localhost')).toMatch(/^(?:127\.0\.0\.1|::1)$/);
  expect(dns.asked).toEqual([]);
});

test('an address is its own', async () => {
  const { dns, names } = await start({});
  expect([names.next('192.0.2.7'), names.next('2001:db8::7')]).toEqual(['192.0.2.7', '2001:db8::7']);
  expect(dns.asked).toEqual([]);
});
