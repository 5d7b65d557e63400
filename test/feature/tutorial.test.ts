/** The README's tutorial, as it stands there: its commands are read out of it and sent for real. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { startLatchkey, type LatchkeyProcess } from '../support/latchkey-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Step {
  readonly command: string;
  readonly status: number;
  /** What the route answers to a request without a key after this step. */
  readonly then: 'open' | 'closed' | undefined;
}

const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
const steps = [...readme.matchAll(/```sh tutorial=(\d+)(?: then-(open|closed))?\n\s*(.+)\n\s*```/g)].map(
  ([, status, then, command]): Step => ({ command: command ?? '', status: Number(status), then: then as Step['then'] }),
);

/** Sends what a curl command says: its URL, method, headers and data. */
async function curl(command: string): Promise<Response> {
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  const after = (flag: string): string[] => words.flatMap((word, i) => (word === flag ? [words[i + 1] ?? ''] : []));
  const headers = after('-H').map((header): [string, string] => [
    header.split(':')[0] ?? '',
    header.split(':').slice(1).join(':'),
  ]);
  const data = after('--data');
  const form: [string, string][] = data.length === 0 ? [] : [['Content-Type', 'application/x-www-form-urlencoded']];
  return fetch(words.find((word) => word.startsWith('http')) ?? '', {
    method: after('-X')[0] ?? 'GET',
    headers: [...headers, ...form],
    ...(data.length === 0 ? {} : { body: data.join('&') }),
  });
}

function onPorts(command: string, { proxyPort, adminPort }: LatchkeyProcess): string {
  return command
    .replace('localhost:8000', `127.0.0.1:${proxyPort}`)
    .replace('localhost:8001', `127.0.0.1:${adminPort}`);
}

async function startQuickstart(dir: string, echoPort: number): Promise<LatchkeyProcess> {
  const latchkey = await startLatchkey(['quickstart', '--dir', dir, '--echo-port', String(echoPort), '--workers', '2']);
  onTestFinished(async () => void (await latchkey.stop()));
  return latchkey;
}

describe('the tutorial of the README', () => {
  test('each step is in force when its answer arrives, lands as YAML and survives a restart', async () => {
    expect(steps.length).toBeGreaterThanOrEqual(9);
    const dir = join(temporaryFolder(), 'quickstart');
    const echoPort = await freePort();
    const latchkey = await startQuickstart(dir, echoPort);
    const proxy = `http://127.0.0.1:${latchkey.proxyPort}`;
    const plugins = async (port: number) =>
      (await (await fetch(`http://127.0.0.1:${port}/routes/mocking/plugins/`)).json()) as { data: { id: string }[] };
    for (const step of steps) {
      const id = step.command.includes('<id>') ? (await plugins(latchkey.adminPort)).data[0]?.id : '';
      const answer = await curl(onPorts(step.command, latchkey).replace('<id>', id ?? ''));
      expect({ command: step.command, status: answer.status }).toEqual({ command: step.command, status: step.status });
      await answer.arrayBuffer();
      // On several connections, so that both workers are asked.
      for (let i = 0; i < 8 && step.then !== undefined; i += 1) {
        const seen = await fetch(`${proxy}/mock`, { headers: { Connection: 'close' } });
        expect([step.command, seen.status]).toEqual([step.command, step.then === 'open' ? 200 : 401]);
      }
    }

    const saw = (await (await fetch(`${proxy}/mock/request`, { headers: { apikey: 'apikey' } })).json()) as {
      path: string;
      headers: Record<string, string>;
    };
    expect(saw.path).toBe('/request');
    expect(saw.headers).toMatchObject({ 'X-Consumer-Username': 'consumer', 'X-Consumer-Custom-ID': 'consumer' });

    const refused = await fetch(`${proxy}/mock`);
    expect(refused.headers.get('www-authenticate')).toBe('Key');
    expect(await refused.json()).toEqual({
      message: 'No API key found in request',
      request_id: refused.headers.get('x-kong-request-id'),
    });

    const files = readdirSync(dir);
    for (const kind of ['kongplugin', 'kongconsumer', 'secret'])
      expect(files.some((file) => file.startsWith(kind))).toBe(true);
    const secretFile = files.find((file) => file.startsWith('secret')) ?? '';
    expect(statSync(join(dir, secretFile)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dir, 'mocking.yaml'), 'utf8')).toContain('# A route to an upstream');

    const before = {
      plugins: await plugins(latchkey.adminPort),
      keys: await (await fetch(`http://127.0.0.1:${latchkey.adminPort}/consumers/consumer/key-auth`)).json(),
    };
    expect(await latchkey.stop()).toBe(0);
    const again = await startQuickstart(dir, echoPort);
    expect(await plugins(again.adminPort)).toEqual(before.plugins);
    expect(await (await fetch(`http://127.0.0.1:${again.adminPort}/consumers/consumer/key-auth`)).json()).toEqual(
      before.keys,
    );
    const served = await fetch(`http://127.0.0.1:${again.proxyPort}/mock/request`, { headers: { apikey: 'apikey' } });
    const { headers } = (await served.json()) as { headers: Record<string, string> };
    expect(headers['X-Consumer-ID']).toBe(saw.headers['X-Consumer-ID']);
    expect(headers['X-Credential-Identifier']).toBe(saw.headers['X-Credential-Identifier']);
  });
});
