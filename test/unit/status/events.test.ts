import { expect, test } from 'vitest';
import { inForceEvent, microTime, nextSeries, problemEvent, type EventContext } from '#status/events.ts';
import { badConfig, objectFor, refIn } from '../../support/status-objects.ts';

const now = new Date('2026-11-25T10:20:30.456Z');
const context = (name = 'auth', uid = 'u-1', kind = 'KongPlugin'): EventContext => {
  const ref = refIn('team', kind, name);
  const object = objectFor(ref);
  return { ref, object: { ...object, metadata: { ...object.metadata, uid } }, identity: 'pod-1', now };
};

test('a problem becomes a Warning on the object, in its namespace', () => {
  expect(problemEvent(context(), badConfig())).toEqual({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: expect.stringMatching(/^auth\.[0-9a-f]{16}$/), namespace: 'team' },
    type: 'Warning',
    reason: 'InvalidConfig',
    note:
      'config.key_names: expected an array – plugin not in force. ' +
      'Correct the field that the message names; docs/reference/plugins.md lists them all.',
    action: 'Translate',
    eventTime: '2026-11-25T10:20:30.456000Z',
    reportingController: 'latchkey.dev/controller',
    reportingInstance: 'pod-1',
    regarding: {
      apiVersion: 'configuration.konghq.com/v1',
      kind: 'KongPlugin',
      name: 'auth',
      namespace: 'team',
      uid: 'u-1',
    },
  });
});

test('Events of what has no namespace are in default', () => {
  const event = problemEvent(context('auth', 'u-1', 'KongClusterPlugin'), badConfig());
  expect(event.metadata.namespace).toBe('default');
  expect(event.regarding).not.toHaveProperty('namespace');
});

test('the same trouble has the same name, whoever tells it and when; any other has another', () => {
  const nameOf = (...args: Parameters<typeof problemEvent>): string => problemEvent(...args).metadata.name;
  const first = nameOf(context(), badConfig());
  const later = new Date(now.getTime() + 1000);
  expect(nameOf({ ...context(), identity: 'pod-2', now: later }, badConfig())).toBe(first);
  const others = [
    nameOf(context(), badConfig('something else')),
    nameOf(context('auth', 'u-2'), badConfig()),
    nameOf(context(), { ...badConfig(), reason: 'UnknownPlugin' }),
    inForceEvent(context()).metadata.name,
  ];
  expect(new Set([first, ...others]).size).toBe(5);
});

test('a name that is as long as names may be is cut where a name may end', () => {
  const { name } = problemEvent(context(`${'a'.repeat(235)}.${'b'.repeat(17)}`), badConfig()).metadata;
  expect(name).toMatch(/^a{235}\.[0-9a-f]{16}$/);
});

test.for(['x', 'ü', '😀'])('a long note of %s is cut within 1,024 bytes', (letter) => {
  const { note } = problemEvent(context(), badConfig(letter.repeat(2000)));
  expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
  expect(Buffer.byteLength(note)).toBeGreaterThan(1020);
  expect(note.isWellFormed()).toBe(true);
});

test('a long identity is cut', () => {
  expect(inForceEvent({ ...context(), identity: 'p'.repeat(300) }).reportingInstance).toHaveLength(128);
});

test('the second time counts two', () => {
  expect(nextSeries(undefined, now)).toEqual({ count: 2, lastObservedTime: microTime(now) });
  expect(nextSeries({ count: 6, lastObservedTime: '' }, now).count).toBe(7);
});
