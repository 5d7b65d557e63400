import { expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import { createLatestObjects } from '#status/latest-objects.ts';
import { objectFor, refIn } from '../../support/status-objects.ts';

const ref = refIn('default', 'KongPlugin', 'auth');
const version = (resourceVersion: string, uid = 'u-1'): KubernetesObject => {
  const object = objectFor(ref);
  return { ...object, metadata: { ...object.metadata, uid, resourceVersion }, status: { conditions: [] } };
};

test.for<[string, KubernetesObject | undefined, string | undefined]>([
  ['what was written, until the watch brings it', version('99'), '100'],
  ['the same, once the watch brings it', version('100'), '100'],
  ['what came after it', version('101'), '101'],
  ['another object of that name', version('99', 'u-2'), '99'],
  ['nothing once it is gone', undefined, undefined],
])('finds %s', ([, watched, found]) => {
  const latest = createLatestObjects(() => watched);
  latest.note(ref, version('100'));
  expect(latest.find(ref)?.metadata.resourceVersion).toBe(found);
});

test('keeps nothing but what a status needs', () => {
  const latest = createLatestObjects(() => version('1'));
  latest.note(ref, version('2'));
  expect(Object.keys(latest.find(ref) ?? {})).toEqual(['apiVersion', 'kind', 'metadata', 'status']);
});
