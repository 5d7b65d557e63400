import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile, chmod, mkdir, open, rename, symlink, utimes } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { directorySource } from '#source/directory.ts';
import { consumerRef, consumerYaml, watchedDirectory, type WatchedDirectory } from '../../support/directory.ts';
import { createSourceLog } from '../../support/source-log.ts';

const alice = consumerRef('alice');
const bob = consumerRef('bob');
const named = (username: string) => (object: { readonly [field: string]: unknown }) => object['username'] === username;

let place: WatchedDirectory;
beforeEach(async () => {
  place = await watchedDirectory();
});
afterEach(async () => place.close());

describe('a directory that cannot be served', () => {
  test('does not exist', async () => {
    const dir = join(place.parent, 'absent');
    await expect(directorySource(dir).start(createSourceLog().listener)).rejects.toThrow(
      `directory ${dir} does not exist`,
    );
  });

  test('is a file', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    const file = place.at('a.yaml');
    await expect(directorySource(file).start(createSourceLog().listener)).rejects.toThrow(`${file} is not a directory`);
  });
});

describe('files', () => {
  test('are read at any depth, as YAML and as JSON', async () => {
    await place.write('a.yaml', consumerYaml('a'));
    await place.write('deep/er/b.yml', consumerYaml('b'));
    await place.write('c.json', '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"c"}}');
    await place.write('two.yaml', `${consumerYaml('d')}---\n${consumerYaml('e')}`);
    await place.start();
    expect(place.told()).toEqual([
      'put KongConsumer default/a',
      'put Secret default/c',
      'put KongConsumer default/b',
      'put KongConsumer default/d',
      'put KongConsumer default/e',
    ]);
  });

  test.for([
    '.hidden.yaml',
    '.git/a.yaml',
    '..data/a.yaml',
    'a.yaml~',
    '.a.yaml.swp',
    '#a.yaml#',
    '.#a.yaml',
    'backup~/a.yaml',
    'a.yaml.bak',
    'README.md',
  ])('%s is none of ours', async (name) => {
    await place.write(name, consumerYaml('before'));
    await place.start();
    await place.write(name, consumerYaml('after'));
    await place.sentinel();
    expect(place.told()).toEqual([]);
  });

  test('of a directory that is given by a relative path have relative paths', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    const dir = relative(process.cwd(), place.dir);
    const source = directorySource(`${dir}/`);
    const log = createSourceLog();
    await source.start(log.listener);
    expect(log.lastChange(alice)).toMatchObject({ origin: { file: join(dir, 'a.yaml'), line: 1, column: 1 } });
    await place.write('a.yaml', consumerYaml('alice', 'renamed'));
    await log.untilPut(alice, named('renamed'));
    await source.stop();
  });

  test('that cannot be read say so, and what they held stays in force', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await mkdir(place.at('folder.yaml'));
    await symlink('loop.yaml', place.at('loop.yaml'));
    await symlink('nothing', place.at('dangling.yaml'));
    const big = await open(place.at('big.yaml'), 'w');
    await big.truncate(16 * 1024 * 1024 + 1);
    await big.close();
    await utimes(place.at('big.yaml'), 0, 0);
    await place.start();
    expect(place.problems()).toEqual([
      'big.yaml:1: is larger than 16 MiB and is not read',
      'dangling.yaml:1: is a symbolic link to nothing',
      'folder.yaml:1: is a directory, not a file',
      expect.stringMatching(/^loop\.yaml:1: ELOOP/),
    ]);
    // In one turn: the source looks at neither alone.
    rmSync(place.at('a.yaml'));
    mkdirSync(place.at('a.yaml'));
    await place.log.untilProblems((problems) => problems.length === 5);
    expect(place.problems()[0]).toBe('a.yaml:1: is a directory, not a file; what it held before stays in force');
    expect(place.log.object(alice)).toBeDefined();
  });

  // Root may read everything, whatever the mode.
  test.skipIf(process.getuid?.() === 0)('that may not be read say so, and so do folders', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await place.write('deep/b.yaml', consumerYaml('bob'));
    await place.start();
    await chmod(place.at('deep'), 0);
    await place.replace('a.yaml', consumerYaml('alice', 'renamed'));
    await chmod(place.at('a.yaml'), 0);
    await place.log.untilProblems((problems) => problems.length > 0);
    await place.sentinel();
    expect(place.problems()).toEqual([expect.stringMatching(/^a\.yaml:1: EACCES/)]);
    expect(place.log.object(bob)).toBeDefined();
    const other = directorySource(place.dir);
    const log = createSourceLog();
    await other.start(log.listener);
    await other.stop();
    await chmod(place.at('deep'), 0o700);
    expect(log.problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^EACCES/),
      'the directory cannot be read: EACCES',
    ]);
  });
});

describe('stopping', () => {
  test('waits for a write that is under way', async () => {
    await place.start();
    const apiVersion = 'configuration.konghq.com/v1';
    const apply = () => ({ apiVersion, kind: 'KongConsumer', metadata: { name: 'alice' }, username: 'alice' });
    let isWritten = false;
    const writing = place.source.write([{ ref: alice, apply }]).then(() => (isWritten = true));
    await place.source.stop();
    expect(isWritten).toBe(true);
    expect(place.log.object(alice)).toBeDefined();
    await writing;
  });

  test('ends a start that is under way', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    const starting = place.start();
    await place.source.stop();
    await starting;
    expect(place.told()).toEqual([]);
  });
});

describe('a change', () => {
  test.for(['write', 'replace'] as const)('of a file is delivered (%s)', async (how) => {
    await place.write('a.yaml', `${consumerYaml('alice')}---\n${consumerYaml('bob')}`);
    await place.start();
    await place[how]('a.yaml', `${consumerYaml('alice', 'renamed')}---\n${consumerYaml('bob')}`);
    await place.log.untilPut(alice, named('renamed'));
    expect(place.told().slice(2)).toEqual(['put KongConsumer default/alice']);
  });

  test('is delivered however soon it follows the last', async () => {
    await place.start();
    for (let i = 0; i < 30; i += 1) {
      await place.write('a.yaml', consumerYaml('alice', `name-${i}`));
      await place.log.untilPut(alice, named(`name-${i}`));
    }
  });

  test('of a new directory with files in it is delivered, and so is its end', async () => {
    await place.start();
    await place.write('new/deep/a.yaml', consumerYaml('alice'));
    await place.log.untilPut(alice);
    await place.remove('new');
    await place.log.untilGone(alice);
  });

  test('that leaves the objects the same delivers nothing', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await place.start();
    await place.write('a.yaml', consumerYaml('alice').replace('metadata:\n  name: alice', 'metadata: {name: alice}'));
    await place.sentinel();
    expect(place.told()).toEqual(['put KongConsumer default/alice']);
  });

  test('of the line that an object stands on is told, without delivering the object', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await place.start();
    await appendFile(place.at('b.yaml'), `\n\n${consumerYaml('bob')}`);
    await place.write('a.yaml', `# A comment.\n${consumerYaml('alice')}`);
    await place.log.waitFor('the move', () => place.log.moves.length > 0);
    expect(place.log.moves).toEqual([{ ref: alice, origin: { file: place.at('a.yaml'), line: 2, column: 1 } }]);
    await place.log.untilPut(bob);
    expect(place.told()).toEqual(['put KongConsumer default/alice', 'put KongConsumer default/bob']);
  });

  test('of the name of a file delivers nothing: the object was never gone', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await place.start();
    await rename(place.at('a.yaml'), place.at('b.yaml'));
    await place.log.waitFor('the move', () => place.log.moves.length > 0);
    // In one turn: the source looks at neither alone.
    rmSync(place.at('b.yaml'));
    writeFileSync(place.at('c.yaml'), consumerYaml('alice'));
    await place.log.waitFor('the second move', () => place.log.moves.length > 1);
    expect(place.told()).toEqual(['put KongConsumer default/alice']);
    expect(place.problems()).toEqual([]);
  });

  test('of one file among 2,000 delivers that one', async () => {
    const names = Array.from({ length: 2_000 }, (_, i) => `c${i}`);
    await Promise.all(names.map(async (name) => place.write(`${name}.yaml`, consumerYaml(name))));
    await place.start();
    expect(place.log.batches.map((batch) => batch.length)).toEqual([2_000]);
    await place.write('c7.yaml', consumerYaml('c7', 'renamed'));
    await place.log.untilPut(consumerRef('c7'), named('renamed'));
    expect(place.log.batches.map((batch) => batch.length)).toEqual([2_000, 1]);
  });
});

/** An empty file is believed after 200 ms. */
const safelyEmptyMs = 150;

/** What is told of a file that is empty for a moment; undefined when that was so long that it may be believed. */
async function toldOfEmptied(): Promise<string[] | undefined> {
  const emptied = await watchedDirectory();
  onTestFinished(async () => emptied.close());
  await emptied.write('a.yaml', consumerYaml('alice'));
  await emptied.start();
  const emptyAtMs = performance.now();
  const file = await open(emptied.at('a.yaml'), 'w');
  // Long enough for another file to be noticed, read and delivered.
  await emptied.write('b.yaml', consumerYaml('bob'));
  await emptied.log.untilPut(bob);
  await file.writeFile(consumerYaml('alice', 'renamed'));
  const emptyMs = performance.now() - emptyAtMs;
  await file.close();
  await emptied.log.untilPut(alice, named('renamed'));
  return emptyMs < safelyEmptyMs ? emptied.told() : undefined;
}

describe('a file that is being written', () => {
  test('and is still empty has lost nothing', async () => {
    let told: string[] | undefined;
    // On a busy machine it may be empty for too long: then it is tried again.
    while (told === undefined) told = await toldOfEmptied();
    expect(told).not.toContain('delete KongConsumer default/alice');
  });

  test('but stays empty is believed', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await place.start();
    await place.write('a.yaml', '');
    await place.log.untilGone(alice);
  });

  test('is read to its end when it is written in steps', async () => {
    await place.start();
    const file = await open(place.at('a.yaml'), 'w');
    for (const line of consumerYaml('alice').split(/(?<=\n)/)) await file.write(line);
    await file.close();
    await place.log.untilPut(alice, named('alice'));
    await place.log.untilProblems((problems) => problems.length === 0);
  });

  test('without end is read now and then all the same', async () => {
    await place.start();
    let i = 0;
    do await place.write('a.yaml', consumerYaml('alice', `name-${(i += 1)}`));
    while (place.log.object(alice) === undefined);
  });
});

describe('a file that no longer parses', () => {
  const broken = `${consumerYaml('alice', 'renamed')}credentials: [one\n`;

  test('keeps its last good version in force and says where the fault is', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await place.start();
    await place.write('a.yaml', broken);
    await place.log.untilProblems((problems) => problems.length === 1);
    expect(place.problems()).toEqual([
      'a.yaml:7:1: Flow sequence in block collection must be sufficiently indented and end with a ];' +
        ' what it held before stays in force',
    ]);
    expect(place.told()).toEqual(['put KongConsumer default/alice']);
    await place.write('a.yaml', consumerYaml('alice', 'mended'));
    await place.log.untilPut(alice, named('mended'));
    expect(place.problems()).toEqual([]);
  });

  test('and goes takes its objects with it', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await place.start();
    await place.write('a.yaml', broken);
    await place.log.untilProblems((problems) => problems.length === 1);
    await place.remove('a.yaml');
    await place.log.untilGone(alice);
    await place.log.untilProblems((problems) => problems.length === 0);
  });

  test('from the start costs no other file anything', async () => {
    await place.write('a.yaml', broken);
    await place.write('b.yaml', consumerYaml('bob'));
    await place.start();
    expect(place.told()).toEqual(['put KongConsumer default/bob']);
    expect(place.problems()).toEqual([expect.stringMatching(/^a\.yaml:7:1: /)]);
  });
});

describe('problems', () => {
  test('of objects and kinds are told with their place, sorted, and go when they are mended', async () => {
    await place.write('b.yaml', `${consumerYaml('bob')}---\napiVersion: v1\nkind: Secret\n`);
    await place.write('a.yaml', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n');
    await place.start();
    expect(place.problems()).toEqual([
      'a.yaml:1:1: apps/v1 Deployment is not a kind that Latchkey reads; objects of it are ignored',
      'b.yaml:7:1: Secret: metadata: required field missing',
    ]);
    expect(place.log.problems.map(({ isError }) => isError)).toEqual([false, true]);
    await place.write('b.yaml', consumerYaml('bob'));
    await place.log.untilProblems((problems) => problems.length === 1);
  });

  test('of an object in two files are told on both, and on the object', async () => {
    await place.write('b.yaml', consumerYaml('alice', 'second'));
    await place.start();
    await place.write('a.yaml', consumerYaml('alice', 'first'));
    await place.log.untilPut(alice, named('first'));
    const note = 'stands in 2 places: a.yaml:1 and b.yaml:1; the one in a.yaml:1 is in force';
    expect(place.problems()).toEqual([
      `a.yaml:1:1: KongConsumer default/alice ${note}`,
      `b.yaml:1:1: KongConsumer default/alice ${note}`,
    ]);
    const change = place.log.lastChange(alice);
    expect(change?.type === 'put' && change.problems).toEqual([
      {
        reason: 'DuplicateObject',
        message: note.replaceAll(/\b([ab]\.yaml)/g, `${place.dir}/$1`),
        effect: 'the first is in force',
      },
    ]);
    await place.remove('a.yaml');
    await place.log.untilPut(alice, named('second'));
    expect(place.problems()).toEqual([]);
  });
});
