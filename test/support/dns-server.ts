import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';

/** What a name leads to; `fails` is a server that cannot say. */
export interface DnsRecords {
  readonly addresses: readonly string[];
  readonly ttl: number;
  readonly fails?: boolean;
}

const headBytes = 12;
/** Types of questions: RFC 1035 section 3.2.2. */
const ipv4Type = 1;
/** Response codes: RFC 1035 section 4.1.1. */
const codes = { fine: 0, serverFailure: 2, noSuchName: 3 } as const;

function readQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = headBytes;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function addressRecord(address: string, ttl: number): Buffer {
  const record = Buffer.alloc(16);
  record.writeUInt16BE(0xc00c, 0); // the name that was asked for
  record.writeUInt16BE(ipv4Type, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(ttl, 6);
  record.writeUInt16BE(4, 10);
  for (const [i, part] of address.split('.').entries()) record[12 + i] = Number(part);
  return record;
}

function codeOf(found: DnsRecords | undefined): number {
  if (found === undefined) return codes.noSuchName;
  return found.fails === true ? codes.serverFailure : codes.fine;
}

function answerTo(query: Buffer, found: DnsRecords | undefined): Buffer {
  const { type, end } = readQuestion(query);
  const addresses = found?.fails === true || type !== ipv4Type ? [] : (found?.addresses ?? []);
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(0x8180 | codeOf(found), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  return Buffer.concat([head, ...addresses.map((address) => addressRecord(address, found?.ttl ?? 0))]);
}

/** A DNS server on the loopback: IPv4 addresses of the names in `records`, which a test may change. */
export async function startDnsServer(records: Record<string, DnsRecords>) {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query: Buffer, { port, address }: RemoteInfo) => {
    const { name, type } = readQuestion(query);
    if (type === ipv4Type) asked.push(name);
    socket.send(answerTo(query, Object.hasOwn(records, name) ? records[name] : undefined), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    server: `127.0.0.1:${socket.address().port}`,
    records,
    /** Names whose IPv4 addresses were asked for, in order. */
    asked,
    close: (): void => void socket.close(),
  };
}
