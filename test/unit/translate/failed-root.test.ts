import { beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import type { RecordedChange } from '#store/store.ts';
import { Redacted } from '#table/redacted.ts';
import { createEngine, type EngineOutput } from '#translate/engine.ts';
import { consumer, sealedSecret } from '../../support/objects.ts';
import { refOfAny } from '../../support/object-source.ts';

const put = (object: KubernetesObject): RecordedChange => ({ type: 'put', ref: refOfAny(object), object });

const named = (name: string, username: string, created = '2021-01-01T00:00:00Z'): KubernetesObject =>
  consumer({ name, username, credentials: ['k'], created, class: 'kong' });

const reasons = ({ verdicts }: EngineOutput): object =>
  Object.fromEntries(verdicts.map(({ ref, problems }) => [ref.name, problems.map(({ reason }) => reason)]));

const keys = (entries: readonly { readonly key: string }[]): string[] => entries.map(({ key }) => key);

const entry = 'credential:Secret/default/k@KongConsumer/default/a';

/** A credential that a translation can be made to stumble over, as over a bug of ours. */
function stumblingBlock() {
  const state = { isBroken: false };
  const secret = sealedSecret({ name: 'k', digest: 'one', label: 'key-auth', created: undefined });
  const { sealed } = secret as unknown as { sealed: { key: { digest: string } } };
  const key = {
    get digest(): string {
      if (state.isBroken) throw new Error('a bug');
      return sealed.key.digest;
    },
  };
  // With a hidden value it is kept as it is.
  return { state, secret: { ...secret, sealed: { key, other: { hidden: new Redacted('x') } } } };
}

describe('a consumer whose translation fails for a bug', () => {
  let engine = createEngine({ ingressClass: 'kong' });
  let { state, secret } = stumblingBlock();
  const apply = (object: KubernetesObject): EngineOutput => engine.apply([put(object)]);

  beforeEach(() => {
    engine = createEngine({ ingressClass: 'kong' });
    ({ state, secret } = stumblingBlock());
    engine.apply([put(secret), put(named('a', 'alice'))]);
    state.isBroken = true;
  });

  test('keeps what it has in force, and says so', () => {
    const output = apply(named('a', 'alicia'));
    expect(output.failures.map(({ ref }) => ref.name)).toEqual(['a', 'k']); // the Secret, too, is read
    expect([output.put, output.remove]).toEqual([[], []]);
    expect(reasons(output)).toMatchObject({ a: ['InternalError'] });
    expect(reasons(apply(named('a', 'alice')))).toEqual({});
  });

  test('loses all to whoever wants what it has, since the two cannot be weighed', () => {
    apply(named('a', 'alicia'));
    const younger = consumer({ name: 'b', username: 'alice', credentials: [], created: undefined, class: 'kong' });
    const output = apply(younger);
    expect(keys(output.remove)).toEqual([entry]);
    expect(reasons(output)).toEqual({ b: [] });
  });

  test('goes with its object', () => {
    apply(named('a', 'alicia'));
    const ref = refOfAny(named('a', ''));
    expect(keys(engine.apply([{ type: 'delete', ref }]).remove)).toEqual([entry]);
  });

  test('is in force again once the bug is out of the way', () => {
    apply(named('a', 'alicia'));
    state.isBroken = false;
    const output = apply(named('a', 'alicia'));
    expect(output.put).toMatchObject([{ key: entry, consumer: { username: 'alicia' } }]);
    expect(reasons(output)).toEqual({ a: [] });
    expect(
      reasons(apply(consumer({ name: 'b', username: 'alice', credentials: [], created: undefined, class: 'kong' }))),
    ).toEqual({
      b: [],
    });
  });

  test('keeps what a dispute left it', () => {
    state.isBroken = false;
    apply(named('b', 'bob', '2020-01-01T00:00:00Z')); // older: it has the key of the Secret that both list
    state.isBroken = true;
    const output = apply(named('b', 'robert', '2020-01-01T00:00:00Z'));
    expect(output.put).toMatchObject([{ consumer: { username: 'bob' } }]);
    expect(output.remove).toEqual([]);
    expect(reasons(output)).toMatchObject({ b: ['InternalError'] });
  });
});
