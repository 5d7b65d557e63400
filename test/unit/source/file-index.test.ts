import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { refKey, type Ref } from '#resources/ref.ts';
import { createFileIndex, type FileIndex, type ReadFile } from '#source/file-index.ts';
import { readManifest } from '#source/manifest-file.ts';
import type { Change, Move } from '#source/source.ts';

/** A file that holds these consumers, as `name=username`. */
const holding = (file: string, ...consumers: string[]): [string, ReadFile] => [
  file,
  readManifest(
    file,
    consumers
      .map((consumer) => consumer.split('='))
      .map(([name, username]) =>
        JSON.stringify({
          apiVersion: 'configuration.konghq.com/v1',
          kind: 'KongConsumer',
          metadata: { name },
          username,
        }),
      )
      .join('\n---\n'),
  ),
];

type Files = ReadonlyMap<string, ReadFile>;

/** Updates, reading files again as the source does; gives the changes, and the moves to `onMove`. */
function update(
  index: FileIndex,
  files: Files,
  read: Iterable<[string, ReadFile]>,
  onMove?: (move: Move) => void,
): Change[] {
  const { changes, moves, toRead } = index.update(new Map(read));
  if (onMove !== undefined) moves.forEach(onMove);
  if (toRead.length === 0) return [...changes];
  const again = toRead.map((file): [string, ReadFile] => [file, files.get(file) ?? 'gone']);
  return [...changes, ...update(index, files, again, onMove)];
}

const told = (changes: readonly Change[]): string[] =>
  changes.map((change) =>
    change.type === 'delete'
      ? `delete ${change.ref.name}`
      : `put ${change.ref.name}=${String(change.object['username'])} of ${change.origin?.file}` +
        (change.problems ?? []).map(({ message }) => ` (${message})`).join(''),
  );

const [bob]: Ref[] = [{ kind: 'KongConsumer', namespace: 'default', name: 'bob' }];

describe('an object in several places', () => {
  const a = holding('a.yaml', 'bob=from a');
  const b = holding('b.yaml', 'bob=from b');
  const both = 'stands in 2 places: a.yaml:1 and b.yaml:1; the one in a.yaml:1 is in force';

  test('the first by path is in force, and both places say so', () => {
    const index = createFileIndex();
    expect(told(update(index, new Map(), [b]))).toEqual(['put bob=from b of b.yaml']);
    expect(told(update(index, new Map(), [a]))).toEqual([`put bob=from a of a.yaml (${both})`]);
    expect(index.problems()).toEqual([
      { file: 'a.yaml', line: 1, column: 1, isError: true, message: `KongConsumer default/bob ${both}` },
      { file: 'b.yaml', line: 1, column: 1, isError: true, message: `KongConsumer default/bob ${both}` },
    ]);
    expect(bob && index.filesOf(bob)).toEqual(['a.yaml', 'b.yaml']);
  });

  test('the second comes: the first stays in force, but is told', () => {
    const index = createFileIndex();
    update(index, new Map(), [a]);
    expect(told(update(index, new Map([a]), [b]))).toEqual([`put bob=from a of a.yaml (${both})`]);
  });

  test('the first goes: the second takes over, untouched', () => {
    const index = createFileIndex();
    update(index, new Map(), [a, b]);
    expect(told(update(index, new Map([b]), [['a.yaml', 'gone']]))).toEqual(['put bob=from b of b.yaml']);
    expect(index.problems()).toEqual([]);
  });

  test('the second goes: the first is told to be fine again', () => {
    const index = createFileIndex();
    update(index, new Map(), [a, b]);
    expect(told(update(index, new Map([a]), [['b.yaml', 'gone']]))).toEqual(['put bob=from a of a.yaml']);
  });

  test('twice in one file, the first by line is in force', () => {
    const index = createFileIndex();
    const changes = update(index, new Map(), [holding('a.yaml', 'bob=1', 'eve=e', 'bob=2')]);
    const note = 'stands in 2 places: a.yaml:1 and a.yaml:5; the one in a.yaml:1 is in force';
    expect(told(changes)).toEqual([`put bob=1 of a.yaml (${note})`, 'put eve=e of a.yaml']);
  });

  test('the first goes while the second cannot be read: there is nothing to deliver', () => {
    const index = createFileIndex();
    update(index, new Map(), [a, b]);
    update(index, new Map(), [['b.yaml', 'unreadable']]);
    expect(told(update(index, new Map(), [['a.yaml', 'gone']]))).toEqual(['delete bob']);
    expect(told(update(index, new Map(), [b]))).toEqual(['put bob=from b of b.yaml']);
  });
});

describe('what was delivered', () => {
  test('is not delivered again while it is the same', () => {
    const index = createFileIndex();
    update(index, new Map(), [holding('a.yaml', 'bob=1', 'eve=1')]);
    expect(told(update(index, new Map(), [holding('a.yaml', 'bob=1', 'eve=2')]))).toEqual(['put eve=2 of a.yaml']);
  });

  test('stays in force while its file cannot be read', () => {
    const index = createFileIndex();
    update(index, new Map(), [holding('a.yaml', 'bob=1')]);
    expect(update(index, new Map(), [['a.yaml', 'unreadable']])).toEqual([]);
    expect(update(index, new Map(), [holding('a.yaml', 'bob=1')])).toEqual([]);
  });

  test('but stands elsewhere is told as moved', () => {
    const index = createFileIndex();
    update(index, new Map(), [holding('a.yaml', 'bob=1')]);
    const { changes, moves } = index.update(
      new Map([['a.yaml', 'gone'] as const, holding('b.yaml', 'eve=1', 'bob=1')]),
    );
    expect(told(changes)).toEqual(['put eve=1 of b.yaml']);
    expect(moves).toEqual([{ ref: bob, origin: { file: 'b.yaml', line: 3, column: 1 } }]);
  });
});

test('an unknown kind is named once, where it first stands', () => {
  const index = createFileIndex();
  const other = (file: string): [string, ReadFile] => [
    file,
    readManifest(file, '{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}}'),
  ];
  update(index, new Map(), [other('b.yaml'), other('a.yaml'), other('c.yaml')]);
  const message = 'apps/v1 Deployment is not a kind that Latchkey reads; objects of it are ignored';
  expect(index.problems()).toEqual([{ file: 'a.yaml', line: 1, column: 1, isError: false, message }]);
});

test('what is in force in the end does not depend on the order in which files were read', () => {
  const step = fc.tuple(
    fc.constantFrom('a.yaml', 'b.yaml', 'c.yaml'),
    fc.array(fc.constantFrom('bob=1', 'bob=2', 'eve=1', 'eve=2'), { maxLength: 3 }),
  );
  const inForceAfter = (batches: readonly (readonly [string, ReadFile][])[]): string[] => {
    const index = createFileIndex();
    const files = new Map<string, ReadFile>();
    const objects = new Map<string, Change>();
    const move = ({ ref, origin }: Move): void => {
      const change = objects.get(refKey(ref));
      if (change?.type === 'put') objects.set(refKey(ref), { ...change, origin });
    };
    for (const batch of batches) {
      for (const [file, held] of batch) files.set(file, held);
      for (const change of update(index, files, batch, move)) objects.set(refKey(change.ref), change);
    }
    const inForce = [...objects.values()].filter(({ type }) => type === 'put');
    return [...told(inForce), ...index.problems().map((problem) => JSON.stringify(problem))].sort();
  };
  const property = fc.property(fc.array(fc.array(step, { minLength: 1, maxLength: 2 }), { maxLength: 8 }), (steps) => {
    const batches = steps.map((batch) => batch.map(([file, held]) => holding(file, ...held)));
    const last = new Map(batches.flat());
    expect(inForceAfter(batches)).toEqual(inForceAfter([[...last].reverse()]));
  });
  fc.assert(property, { numRuns: 300 });
});
