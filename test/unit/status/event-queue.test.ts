import { expect, test } from 'vitest';
import { refKey, type Ref } from '#resources/ref.ts';
import type { Problem, Verdict } from '#resources/verdict.ts';
import type { ApiRequest, KubernetesApi } from '#source/kubernetes-api.ts';
import { createEventQueue } from '#status/event-queue.ts';
import type { KubernetesEvent } from '#status/events.ts';
import { createLatestObjects } from '#status/latest-objects.ts';
import { badConfig, ignored, objectFor, refIn } from '../../support/status-objects.ts';
import { silent } from '../../support/silent.ts';
import { until } from '../../support/until.ts';

const auth = refIn('team', 'KongPlugin', 'auth');
const mark = refIn('team', 'KongPlugin', 'mark');
const verdictOn = (ref: Ref, problems: readonly Problem[]): Verdict => ({ ref, generation: 1, problems });

/** A queue whose Events come to an API server that takes them all. */
async function startQueue() {
  const told: string[] = [];
  const listeners = new Set<() => void>();
  const verdicts = new Map<string, Verdict>();
  const uids = new Map<string, string>();
  const api: KubernetesApi = {
    async request<T>({ body }: ApiRequest): Promise<T> {
      const { metadata, reason, note } = body as KubernetesEvent;
      told.push(`${metadata.name.split('.')[0]} ${reason} ${note.split(' – ')[0]}`);
      for (const listener of listeners) listener();
      return {} as T;
    },
  };
  const objectOf = (ref: Ref) => {
    const object = objectFor(ref);
    return { ...object, metadata: { ...object.metadata, uid: uids.get(refKey(ref)) ?? 'u-1', resourceVersion: '1' } };
  };
  const queue = createEventQueue({
    ...(await silent()),
    api,
    identity: 'pod-1',
    latest: createLatestObjects(objectOf),
    verdictOf: (key) => verdicts.get(key),
    settleMs: 30,
    pause: () => undefined,
    turn: async () => undefined,
  });
  const take = (ref: Ref, problems: readonly Problem[]): Verdict => {
    const verdict = verdictOn(ref, problems);
    verdicts.set(refKey(ref), verdict);
    return verdict;
  };
  const say = (ref: Ref, ...problems: readonly Problem[]): void => {
    const before = verdicts.get(refKey(ref));
    queue.tell(before, take(ref, problems));
  };
  const tells = async (text: string): Promise<unknown> =>
    until({
      what: `an Event "${text}"`,
      holds: () => told.some((one) => one.startsWith(text)),
      subscribe(check) {
        listeners.add(check);
        return () => listeners.delete(check);
      },
    });
  return {
    queue,
    say,
    tells,
    /** An object with these problems, as whoever led before may have told. */
    takeOver: (ref: Ref, ...problems: readonly Problem[]) => queue.takeOver(take(ref, problems)),
    /** The object was deleted and created anew. */
    createAnew: (ref: Ref, uid: string) => void uids.set(refKey(ref), uid),
    /** What was told of the plugin, once all that waits by now has been told or dropped. */
    async toldOfAuth(): Promise<string[]> {
      say(mark, badConfig(`mark ${told.length}`));
      await tells(`mark InvalidConfig config.key_names: mark ${told.length}`);
      return told.filter((text) => text.startsWith('auth'));
    },
  };
}

const inForceAgain = 'auth Programmed In force again: requests meet it.';
const wrong = 'auth InvalidConfig config.key_names: wrong';

test('what passes is not told, nor that it has passed', async () => {
  const { say, toldOfAuth } = await startQueue();
  say(auth);
  say(auth, badConfig('wrong'));
  say(auth);
  expect(await toldOfAuth()).toEqual([]);
});

test('what lasts is told, and that it is mended', async () => {
  const { say, toldOfAuth } = await startQueue();
  say(auth, badConfig('wrong'));
  expect(await toldOfAuth()).toEqual([wrong]);
  say(auth);
  expect(await toldOfAuth()).toEqual([wrong, inForceAgain]);
  say(auth, badConfig('for a moment'));
  say(auth);
  expect(await toldOfAuth()).toEqual([wrong, inForceAgain]);
});

test('an exception that was told does not make a passing problem one that was told', async () => {
  const { say, toldOfAuth } = await startQueue();
  say(auth, ignored);
  const [told] = await toldOfAuth();
  expect(told).toContain('auth NotSupported');
  say(auth, ignored, badConfig('wrong'));
  say(auth, ignored);
  expect(await toldOfAuth()).toEqual([told]);
});

test('one problem that is told and then another that passes: it is mended for who read of the first', async () => {
  const { say, toldOfAuth } = await startQueue();
  say(auth, badConfig('wrong'));
  await toldOfAuth();
  say(auth, badConfig('wrong in another way'));
  say(auth);
  expect(await toldOfAuth()).toEqual([wrong, inForceAgain]);
});

test('what the leader before may have told is told to be mended, however soon', async () => {
  const { say, takeOver, toldOfAuth } = await startQueue();
  takeOver(auth, badConfig('wrong'));
  say(auth);
  expect(await toldOfAuth()).toEqual([inForceAgain]);
});

test('an object that is created anew has nothing to be mended, and its forerunner no problem', async () => {
  const { queue, say, createAnew, toldOfAuth } = await startQueue();
  say(auth, badConfig('wrong'));
  createAnew(auth, 'u-2');
  expect(await toldOfAuth()).toEqual([]);
  queue.tell(undefined, verdictOn(auth, [badConfig('wrong')]));
  await toldOfAuth();
  createAnew(auth, 'u-3');
  say(auth);
  expect(await toldOfAuth()).toEqual([wrong]);
});

test('who no longer leads tells nothing more', async () => {
  const { queue, say, toldOfAuth } = await startQueue();
  say(auth, badConfig('wrong'));
  queue.clear();
  expect(await toldOfAuth()).toEqual([]);
});

test('who leads again tells only what its objects have come to since', async () => {
  const { queue, say, takeOver, toldOfAuth } = await startQueue();
  say(auth, badConfig('wrong'));
  await toldOfAuth();
  queue.clear();
  takeOver(auth); // mended while another led, who told it
  say(auth, badConfig('for a moment'));
  say(auth);
  expect(await toldOfAuth()).toEqual([wrong]);
});
