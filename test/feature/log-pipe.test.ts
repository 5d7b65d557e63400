/** A gateway whose log goes into a pipe that nobody reads, or where nobody is left to read. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bobsKey } from '../support/bobs-key.ts';
import { send } from '../support/client.ts';
import { launchLatchkey } from '../support/latchkey-process.ts';
import { oneService } from '../support/one-service.ts';
import { startUpstream } from '../support/upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { untilReadiness } from '../support/until-found.ts';

/** A whole gateway that logs every attempt, into a pipe whose other end is the caller's to read. */
async function startLoggingTo() {
  const upstream = await startUpstream();
  onTestFinished(upstream.close);
  const dir = temporaryFolder();
  const objects = oneService(upstream.port, { route: { 'konghq.com/plugins': 'key-auth' } });
  writeFileSync(join(dir, 'all.yaml'), `${objects}---\n${bobsKey}`);
  const pipe = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const args = ['run', '--dir', dir, '--workers', '1', '--log-level', 'debug'];
  const latchkey = await launchLatchkey(args, [], {}, ['sh', '-c', 'exec "$@" > "$0"', pipe]);
  onTestFinished(() => void latchkey.child.kill('SIGKILL'));
  await untilReadiness(latchkey, { status: 200 });
  const ask = async (times: number): Promise<number[]> => {
    const statuses = new Set<number>();
    for (let i = 0; i < times; i += 1) statuses.add((await send({ port: latchkey.proxyPort, path: '/' })).status);
    return [...statuses];
  };
  return { latchkey, reader, ask };
}

/** What is in a pipe at the moment. */
function readAll(reader: number): string {
  const bytes = Buffer.alloc(64 * 1024);
  let text = '';
  try {
    for (let length = readSync(reader, bytes); length > 0; length = readSync(reader, bytes)) {
      text += bytes.toString('utf8', 0, length);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
  return text;
}

test('requests are served on while nobody reads the log, and what is read later is whole', async () => {
  const { latchkey, reader, ask } = await startLoggingTo();
  onTestFinished(() => closeSync(reader));
  expect(await ask(1_000)).toEqual([401]);
  await untilReadiness(latchkey, { status: 200 });
  let text = readAll(reader);
  expect(text.length).toBeGreaterThanOrEqual(60 * 1024); // as much as a pipe takes
  const stopped = latchkey.stop();
  while (!text.includes('"msg":"stopped"')) {
    await new Promise((resolve) => setImmediate(resolve));
    text += readAll(reader);
  }
  expect(await stopped).toBe(0);
  const lines = text.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as object).filter((line) => 'attempt' in line)).toHaveLength(1_000);
});

test('requests are served on when nobody is left to read the log', async () => {
  const { latchkey, reader, ask } = await startLoggingTo();
  closeSync(reader);
  expect(await ask(10)).toEqual([401]);
  await untilReadiness(latchkey, { status: 200 });
  expect(await latchkey.stop()).toBe(0);
});
