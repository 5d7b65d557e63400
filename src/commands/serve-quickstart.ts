import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ListenAddress } from '#gateway/messages.ts';
import { startEcho } from './echo.ts';
import type { ServeOptions } from './options.ts';
import { createTelemetry, serve, untilSignal, type Serving } from './serve.ts';
import { directorySetup } from './source-setup.ts';

const example = fileURLToPath(new URL('../../examples/quickstart/mocking.yaml', import.meta.url));
/** Git-ignored, so that what the tutorial writes leaves the checkout clean. */
const usualCopy = fileURLToPath(new URL('../../.quickstart', import.meta.url));
/** Port that the example's Service names. */
const exampleEchoPort = 9080;

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

const url = ({ host, port }: ListenAddress, path = '', scheme = 'http'): string =>
  `${scheme}://${host === '0.0.0.0' || host === '127.0.0.1' ? 'localhost' : host}:${port}${path}`;

async function welcome({ pipeline }: Serving, options: ServeOptions, copy: string): Promise<string> {
  // What only prints is loaded once everything serves.
  const { makeReport } = await import('./check-directory.ts');
  const { printReport } = await import('./report.ts');
  const { adminListen: admin, statusListen: status, proxyListen, httpsListen: https } = options;
  const proxy = { ...proxyListen, port: pipeline.port };
  const objects = makeReport(pipeline.reporter.all(), pipeline.originOf, pipeline.reporter.fileProblems);
  const onAdmin =
    admin === 'off'
      ? ''
      : `
Protect the route with a key, then use it:
  curl -X POST ${url(admin, '/routes/mocking/plugins')} --data name=key-auth
  curl -i ${url(proxy, '/mock')}                                  # 401
  curl -X POST ${url(admin, '/consumers/')} --data username=consumer --data custom_id=consumer
  curl -X POST ${url(admin, '/consumers/consumer/key-auth')} --data key=apikey
  curl -i ${url(proxy, '/mock/request')} -H 'apikey:apikey'       # 200, with X-Consumer-Username
`;
  return `
Latchkey serves ${relative('.', copy) || '.'}/ : edit the YAML there, or use the Admin API; each change is in force at once.

  proxy      ${url(proxy)}${https === 'off' ? '' : `, ${url({ ...https, port: pipeline.httpsPort ?? https.port }, '', 'https')}`}
  Admin API  ${admin === 'off' ? 'off' : url(admin)}
  status     ${status === 'off' ? 'off' : `${url(status, '/readyz')} and /metrics`}

${printReport(objects, 'text')}
Try an open route:
  curl ${url(proxy, '/mock/request')}
${onAdmin}
Ctrl-C stops. Start over with: npm start -- --fresh
`;
}

/** Where the copy of the example is, and whether it is made anew. */
export interface QuickstartCopy {
  readonly isFresh: boolean;
  readonly copy: string | undefined;
  readonly echoPort: number;
}

async function makeCopy(copy: string, echoPort: number): Promise<void> {
  await mkdir(copy, { recursive: true });
  const text = await readFile(example, 'utf8');
  await writeFile(join(copy, 'mocking.yaml'), text.replaceAll(String(exampleEchoPort), String(echoPort)));
}

/** Serves the copy of the example until it is told to stop. */
export async function serveQuickstart(options: ServeOptions, how: QuickstartCopy): Promise<void> {
  const copy = how.copy ?? usualCopy;
  if (how.isFresh) await rm(copy, { recursive: true, force: true });
  if (!(await exists(copy))) await makeCopy(copy, how.echoPort);
  const echo = await startEcho(how.echoPort);
  try {
    const serving = await serve(directorySetup(copy), options, await createTelemetry(options));
    process.stdout.write(await welcome(serving, options, copy));
    await untilSignal();
    process.stdout.write('\nlatchkey: draining\n');
    await serving.stop();
  } finally {
    echo.close();
  }
}
