/** Secrets that plugins take values from: read again when that begins and ends, and never over something newer. */
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { secret as secretKind } from '#resources/secret.ts';
import type { Change } from '#source/source.ts';
import { createStore } from '#store/store.ts';
import { digestSecretBytes, makeDigest } from '#table/digest.ts';
import { sealed, sealingWith } from '#translate/sealing.ts';
import { createWantedSecrets } from '#wanted-secrets.ts';
import { refOfAny } from '../support/object-source.ts';
import { silent } from '../support/silent.ts';

const digest = makeDigest(Buffer.alloc(digestSecretBytes));

const secret = (value: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'default' },
  stringData: { config: value },
});

const plugin = (fields: object): KubernetesObject => ({
  apiVersion: 'configuration.konghq.com/v1',
  kind: 'KongPlugin',
  metadata: { name: 'p', namespace: 'default' },
  plugin: 'key-auth',
  ...fields,
});
const wanting = plugin({ configFrom: { secretKeyRef: { name: 's', key: 'config' } } });

const put = (object: KubernetesObject): Change => ({ type: 'put', ref: refOfAny(object), object });

type Read = PromiseWithResolvers<KubernetesObject | undefined>;

/** The part of the pipeline that Secrets go through; reads of the source are answered by the test. */
async function start() {
  const store = createStore();
  const reads: Read[] = [];
  const source = {
    async read(): Promise<KubernetesObject | undefined> {
      const read: Read = Promise.withResolvers();
      reads.push(read);
      return read.promise;
    },
  };
  const { log } = await silent();
  const apply = (...changes: readonly Change[]): void =>
    wanted.take(changes, (wants) => {
      for (const change of changes) store.record(sealed(change, sealingWith(digest, wants)));
    });
  const wanted = createWantedSecrets({ store, source, deliver: (change) => apply(change), log, retryMs: 0 });
  return {
    apply,
    wanted,
    reads,
    /** The value of the Secret, if it is kept. */
    value: () => store.get(secretKind, 'default', 's')?.sealed?.['config']?.hidden?.reveal(),
  };
}

describe('a Secret', () => {
  test('that comes with its plugin is kept at once', async () => {
    const { apply, reads, value } = await start();
    apply(put(wanting), put(secret('one')));
    expect([value(), reads.length]).toEqual(['one', 0]);
  });

  test('that no plugin names is not kept', async () => {
    const { apply, reads, value } = await start();
    apply(put(plugin({ config: {} })), put(secret('one')));
    expect([value(), reads.length]).toEqual([undefined, 0]);
  });

  test('that a plugin begins to name is read again', async () => {
    const { apply, wanted, reads, value } = await start();
    apply(put(secret('one')));
    apply(put(wanting));
    expect([value(), reads.length]).toEqual([undefined, 1]);
    reads[0]?.resolve(secret('one'));
    await wanted.settled();
    expect(value()).toBe('one');
  });

  test('that changed while it was read again keeps what is newer', async () => {
    const { apply, wanted, reads, value } = await start();
    apply(put(secret('one')));
    apply(put(wanting));
    apply(put(secret('two')));
    reads[0]?.resolve(secret('one'));
    await wanted.settled();
    expect([value(), reads.length]).toEqual(['two', 1]);
  });

  test('that went while it was read again stays away', async () => {
    const { apply, wanted, reads, value } = await start();
    apply(put(secret('one')));
    apply(put(wanting));
    apply({ type: 'delete', ref: refOfAny(secret('')) });
    reads[0]?.resolve(secret('one'));
    await wanted.settled();
    expect(value()).toBeUndefined();
  });

  test.for([
    ['goes', { type: 'delete' as const, ref: refOfAny(wanting) }],
    ['names it no more', put(plugin({ config: {} }))],
  ] as const)('is forgotten when its plugin %s', async ([, change]) => {
    const { apply, wanted, reads, value } = await start();
    apply(put(wanting), put(secret('one')));
    apply(change);
    reads[0]?.resolve(secret('one'));
    await wanted.settled();
    expect(value()).toBeUndefined();
  });

  test('that cannot be read is tried again', async () => {
    const { apply, wanted, reads, value } = await start();
    apply(put(secret('one')));
    apply(put(wanting));
    reads[0]?.reject(new Error('the API server is away'));
    await wanted.settled();
    expect(value()).toBeUndefined();
    await expect.poll(() => reads.length).toBe(2);
    reads[1]?.resolve(secret('one'));
    await expect.poll(value).toBe('one');
  });

  test('that cannot be read is not tried any more once all is stopped', async () => {
    const { apply, wanted, reads } = await start();
    apply(put(secret('one')));
    apply(put(wanting));
    wanted.stop();
    reads[0]?.reject(new Error('the API server is away'));
    await wanted.settled();
    expect(reads).toHaveLength(1);
  });
});
