import { randomBytes } from 'node:crypto';
import { getHeapSnapshot } from 'node:v8';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { refKey } from '#resources/ref.ts';
import type { SourceListener } from '#source/source.ts';
import { consumerRef, consumerYaml, watchedDirectory, type WatchedDirectory } from '../../support/directory.ts';

/** What every planted key starts with; put together so that no text but that of the keys holds it whole. */
const mark = ['plan', 'ted', '-'].join('');

let place: WatchedDirectory;
beforeEach(async () => {
  place = await watchedDirectory();
});
afterEach(async () => place.close());

/** A file with a key early on and much text after it, which names cut out of it could keep alive. */
function secretYaml(name: string): string {
  const key = mark + randomBytes(16).toString('hex');
  const filler = `# ${'x'.repeat(70)}\n`.repeat(20);
  return `# ${key}
apiVersion: v1
kind: Secret
metadata:
  labels: {konghq.com/credential: key-auth, a-label-long-enough-to-be-cut-out-of-the-text: "${key}"}
  name: ${name}
stringData:
  key: ${key}
${filler}---
apiVersion: example.com/v1
kind: AKindOfALongNameThatNobodyReads
metadata: {name: ${name}}
key: ${key}
---
apiVersion: networking.k8s.io/v1beta1-long-enough-to-be-cut-out
kind: Ingress
metadata: {name: ${name}}
key: ${key}
`;
}

/** How many planted keys are in memory. */
async function countKeys(): Promise<number> {
  const pattern = new RegExp(`${mark}[0-9a-f]{32}`, 'g');
  let rest = '';
  let count = 0;
  for await (const chunk of getHeapSnapshot()) {
    const text = rest + String(chunk);
    const found = [...text.matchAll(pattern)];
    count += found.length;
    const end = found.at(-1);
    rest = text.slice(Math.max(text.length - 60, end === undefined ? 0 : end.index + end[0].length));
  }
  return count;
}

/** Writes a file and forgets its text. */
async function plant(name: string, text = secretYaml(name)): Promise<void> {
  await place.write(`${name}.yaml`, text);
}

test('once changes have been delivered, nothing of the files is in memory', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `secret-number-${i}-of-a-hundred`);
  for (const name of names) await plant(name);
  const seen = new Set<string>();
  let tell: (() => void) | undefined;
  const listener: SourceListener = {
    changes: (changes) => {
      for (const { ref } of changes) seen.add(refKey(ref));
      tell?.();
    },
    fileProblems: () => undefined,
  };
  await place.source.start(listener);
  expect(seen.size).toBe(names.length);

  // A file that no longer parses, one that changes, one that is written to and read: none leaves a trace.
  await plant('secret-number-1-of-a-hundred', `${secretYaml('broken')}\n"${mark}${'0'.repeat(32)}\n`);
  await plant('secret-number-2-of-a-hundred');
  const ref = { kind: 'Secret', namespace: 'default', name: names[3] ?? '' };
  await place.source.write([{ ref, apply: (current) => current && { ...current, type: 'Opaque' } }]);
  expect((await place.source.read(ref))?.['type']).toBe('Opaque');
  const { promise, resolve } = Promise.withResolvers<void>();
  tell = () => (seen.has(refKey(consumerRef('last'))) ? resolve() : undefined);
  await place.write('zzz.yaml', consumerYaml('last'));
  await promise;
  // What the engine still holds of the last call (a frame, a promise that just resolved) goes with the next.
  await place.source.write([
    { ref: consumerRef('last'), apply: (current) => current && { ...current, custom_id: 'x' } },
  ]);
  expect(await place.source.read(consumerRef('last'))).toMatchObject({ custom_id: 'x' });

  expect(await countKeys()).toBe(0);
  const witness = Buffer.from(mark + randomBytes(16).toString('hex')).toString('latin1');
  expect(await countKeys()).toBeGreaterThan(0);
  expect(witness).toContain(mark);
});
