/**
 * What every source promises, whatever it watches (source/source.ts). A harness gives the source and a way
 * to change the same objects from outside; the suite awaits what is delivered. That something is *not*
 * delivered is shown by a later change, the sentinel, whose delivery comes next.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Ref } from '#resources/ref.ts';
import type { Source } from '#source/source.ts';
import { createSourceLog, type SourceLog } from '../support/source-log.ts';

export interface SourceHarness {
  /** A source of the objects that the harness changes; a test may ask for several. */
  makeSource(): Source;
  /** Creates or replaces an object from outside. */
  put(object: KubernetesObject): Promise<void>;
  /** Deletes an object from outside. */
  remove(ref: Ref): Promise<void>;
  close(): Promise<void>;
  /** Why the edits of one write may be delivered one after the other; absent where they may not. */
  readonly notAtomic?: string;
}

const refOf = (kind: string, name: string): Ref => ({ kind, namespace: 'default', name });
const alice = refOf('KongConsumer', 'alice');
const bob = refOf('KongConsumer', 'bob');
const sentinel = refOf('KongConsumer', 'sentinel');
const secret = refOf('Secret', 'alice-key');

function consumer({ name }: Ref, username = name): KubernetesObject {
  const metadata = { name, namespace: 'default', annotations: { 'kubernetes.io/ingress.class': 'kong' } };
  return { apiVersion: 'configuration.konghq.com/v1', kind: 'KongConsumer', metadata, username };
}

const keySecret: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'alice-key', namespace: 'default', labels: { 'konghq.com/credential': 'key-auth' } },
  type: 'Opaque',
  data: { key: Buffer.from('a-key').toString('base64') },
};

const rename =
  (username: string) =>
  (current: KubernetesObject | undefined): KubernetesObject => ({ ...(current ?? consumer(alice)), username });

/** Runs the suite against one implementation. */
export function describeSource(name: string, makeHarness: () => Promise<SourceHarness>): void {
  describe(name, () => {
    let harness: SourceHarness;
    let source: Source;
    let log: SourceLog;

    beforeEach(async () => {
      harness = await makeHarness();
      source = harness.makeSource();
      log = createSourceLog();
    });

    afterEach(async () => {
      await source.stop();
      await harness.close();
    });

    const countOf = (ref: Ref): number => log.batches.flat().filter((change) => change.ref.name === ref.name).length;

    test('delivers everything there is before it has started', async () => {
      await harness.put(consumer(alice));
      await harness.put(keySecret);
      await source.start(log.listener);
      expect(log.object(alice)).toMatchObject({ kind: 'KongConsumer', username: 'alice' });
      expect(log.object(secret)).toMatchObject({ kind: 'Secret', data: keySecret['data'] });
    });

    test('gives every object a namespace and a uid that stays', async () => {
      await harness.put(consumer(alice));
      await source.start(log.listener);
      const { metadata } = log.object(alice) ?? {};
      expect(metadata).toMatchObject({
        name: 'alice',
        namespace: 'default',
        uid: expect.stringMatching(/^[\da-f-]{36}$/),
      });
      await harness.put(consumer(alice, 'renamed'));
      const changed = await log.untilPut(alice, ({ username }) => username === 'renamed');
      expect(changed.metadata.uid).toBe(metadata?.uid);
    });

    test('delivers what comes, changes and goes', async () => {
      await source.start(log.listener);
      await harness.put(consumer(alice));
      await log.untilPut(alice);
      await harness.put(consumer(alice, 'renamed'));
      await log.untilPut(alice, ({ username }) => username === 'renamed');
      await harness.remove(alice);
      await log.untilGone(alice);
    });

    test('delivers plain JSON data', async () => {
      await harness.put(consumer(alice));
      await source.start(log.listener);
      const object = log.object(alice);
      expect(JSON.parse(JSON.stringify(object))).toEqual(object);
    });

    test('does not deliver an object that has not changed', async () => {
      await harness.put(consumer(alice));
      await source.start(log.listener);
      await harness.put(consumer(alice));
      await harness.put(consumer(sentinel));
      await log.untilPut(sentinel);
      expect(countOf(alice)).toBe(1);
    });

    test('a write creates, changes and deletes, and has been delivered when it resolves', async () => {
      await source.start(log.listener);
      await source.write([{ ref: alice, apply: () => consumer(alice) }]);
      expect(log.object(alice)).toMatchObject({ username: 'alice' });
      await source.write([{ ref: alice, apply: rename('renamed') }]);
      expect(log.object(alice)).toMatchObject({ username: 'renamed' });
      await source.write([{ ref: alice, apply: () => undefined }]);
      expect(log.object(alice)).toBeUndefined();
    });

    test('edits of one write are delivered as one batch', async ({ skip }) => {
      if (harness.notAtomic !== undefined) skip(harness.notAtomic);
      await source.start(log.listener);
      await source.write([
        { ref: secret, apply: () => keySecret },
        { ref: alice, apply: () => ({ ...consumer(alice), credentials: ['alice-key'] }) },
      ]);
      expect(log.batches).toHaveLength(1);
      expect(log.told().sort()).toEqual(['put KongConsumer default/alice', 'put Secret default/alice-key']);
    });

    test('a write is delivered once', async () => {
      await source.start(log.listener);
      await source.write([{ ref: alice, apply: () => consumer(alice) }]);
      await harness.put(consumer(sentinel));
      await log.untilPut(sentinel);
      expect(countOf(alice)).toBe(1);
    });

    test('an edit gets the object as it is now, whoever wrote it last', async () => {
      await source.start(log.listener);
      await harness.put(consumer(alice, 'from outside'));
      await log.untilPut(alice);
      await source.write([
        {
          ref: alice,
          apply: (current) => ({ ...(current ?? consumer(alice)), custom_id: String(current?.['username']) }),
        },
        {
          ref: alice,
          apply: (current) => ({ ...(current ?? consumer(alice)), username: `${String(current?.['custom_id'])}!` }),
        },
      ]);
      expect(log.object(alice)).toMatchObject({ custom_id: 'from outside', username: 'from outside!' });
    });

    test('an edit gets undefined for what is not there, and may leave it so', async () => {
      await source.start(log.listener);
      const seen: unknown[] = [];
      const apply = (current: KubernetesObject | undefined): undefined => void seen.push(current);
      await source.write([{ ref: alice, apply }]);
      expect(seen).toEqual([undefined]);
      expect(log.batches).toEqual([]);
    });

    test('when an edit throws, nothing of the write happens', async () => {
      await source.start(log.listener);
      const refusal = new Error('refused');
      const refuse = (): never => {
        throw refusal;
      };
      const writing = source.write([
        { ref: alice, apply: () => consumer(alice) },
        { ref: bob, apply: refuse },
      ]);
      await expect(writing).rejects.toBe(refusal);
      await source.write([{ ref: sentinel, apply: () => consumer(sentinel) }]);
      expect(log.told()).toEqual(['put KongConsumer default/sentinel']);
      await expect(source.read(alice)).resolves.toBeUndefined();
    });

    test('writes that are made at the same time do not lose each other', async () => {
      await source.start(log.listener);
      const add = (n: number) => async (): Promise<void> =>
        source.write([
          {
            ref: alice,
            apply: (current = consumer(alice)) => ({
              ...current,
              credentials: [...((current['credentials'] as string[] | undefined) ?? []), `key-${n}`],
            }),
          },
        ]);
      await Promise.all([1, 2, 3, 4, 5].map(async (n) => add(n)()));
      const credentials = log.object(alice)?.['credentials'];
      expect((credentials as string[]).toSorted()).toEqual(['key-1', 'key-2', 'key-3', 'key-4', 'key-5']);
    });

    test('reads an object as it was written, secrets included, and nothing where there is none', async () => {
      await harness.put(keySecret);
      await source.start(log.listener);
      expect(await source.read(secret)).toMatchObject({ kind: 'Secret', data: keySecret['data'] });
      expect(await source.read(alice)).toBeUndefined();
      await source.write([{ ref: secret, apply: () => undefined }]);
      expect(await source.read(secret)).toBeUndefined();
    });

    test('delivers nothing once it has stopped', async () => {
      await source.start(log.listener);
      await source.stop();
      await harness.put(consumer(alice));
      const other = harness.makeSource();
      const otherLog = createSourceLog();
      await other.start(otherLog.listener);
      await harness.put(consumer(sentinel));
      await otherLog.untilPut(sentinel);
      await other.stop();
      expect(log.batches).toEqual([]);
    });

    test('another source has what one has written', async () => {
      await source.start(log.listener);
      await source.write([{ ref: alice, apply: () => consumer(alice) }]);
      const other = harness.makeSource();
      const otherLog = createSourceLog();
      await other.start(otherLog.listener);
      await other.stop();
      expect(otherLog.object(alice)).toEqual(log.object(alice));
    });
  });
}
