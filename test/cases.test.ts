/**
 * Runs every folder of test/cases (`support/case-folders.ts` says what stands in one): its objects go to the
 * pipeline, its requests through the real gateway, and what people are told is compared with `verdicts.yaml`.
 */
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPipeline, type Pipeline } from '#pipeline.ts';
import {
  caseFolders,
  caseSettings,
  caseStates,
  expectRequests,
  verdictsFile,
  verdictText,
} from './support/case-folders.ts';
import { objectSource } from './support/object-source.ts';
import { silent } from './support/silent.ts';
import { startUpstream } from './support/upstream.ts';
import { proxySettings } from './support/proxy-settings.ts';

const source = objectSource();
let upstream: Awaited<ReturnType<typeof startUpstream>>;
let pipeline: Pipeline;

beforeAll(async () => {
  upstream = await startUpstream();
  pipeline = await startPipeline({
    openSource: async () => source,
    ...(await caseSettings()),
    ...(await silent()),
    proxy: proxySettings(),
    version: '0.0.0-test',
  });
});

afterAll(async () => {
  await pipeline.stop(0);
  await upstream.close();
});

describe.for(caseFolders)('%s', (folder) => {
  test(basename(folder), async () => {
    source.set([]);
    for (const objects of caseStates(folder, { upstream })) {
      source.set(objects);
      await pipeline.settled();
    }
    await expectRequests(folder, { port: pipeline.port, httpsPort: pipeline.httpsPort, upstream });
    await expect(verdictText(pipeline.reporter.all())).toMatchFileSnapshot(verdictsFile(folder));
  });
});
