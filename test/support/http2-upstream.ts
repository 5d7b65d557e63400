import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** An upstream of HTTP/2 without TLS that lasts for a test; gives its port. */
export async function http2Upstream(onStream: (stream: ServerHttp2Stream) => void): Promise<number> {
  const upstream = createServer();
  upstream.on('stream', onStream);
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void upstream.close());
  return (upstream.address() as AddressInfo).port;
}
