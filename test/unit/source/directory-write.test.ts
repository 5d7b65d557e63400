import { chmod, readFile, readdir, rename as move, stat, symlink, lstat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '#resources/kind.ts';
import type { Edit } from '#source/source.ts';
import { consumerRef, consumerYaml, watchedDirectory, type WatchedDirectory } from '../../support/directory.ts';

const alice = consumerRef('alice');
const bob = consumerRef('bob');

let place: WatchedDirectory;
beforeEach(async () => {
  place = await watchedDirectory();
});
afterEach(async () => place.close());

const text = async (name: string): Promise<string> => readFile(place.at(name), 'utf8');
const modeOf = async (name: string): Promise<string> => ((await stat(place.at(name))).mode & 0o777).toString(8);
const remove = { apply: () => undefined };

function consumer(name: string, fields: object = {}): KubernetesObject {
  return {
    username: name,
    kind: 'KongConsumer',
    metadata: { name },
    apiVersion: 'configuration.konghq.com/v1',
    ...fields,
  };
}

const rename = (username: string): Pick<Edit, 'apply'> => ({
  apply: (current) => ({ ...(current ?? consumer('alice')), username }),
});

describe('a new object', () => {
  test('gets a file of its own, as kubectl would take it', async () => {
    await place.start();
    await place.source.write([{ ref: alice, apply: () => consumer('alice') }]);
    expect(await readdir(place.dir)).toEqual(['kongconsumer-default-alice.yaml']);
    expect(await text('kongconsumer-default-alice.yaml')).toBe(consumerYaml('alice'));
  });

  test('of a kind without namespaces has none in its name', async () => {
    await place.start();
    const ref = { kind: 'KongClusterPlugin', namespace: '', name: 'limits' };
    const apiVersion = 'configuration.konghq.com/v1';
    const apply = (): KubernetesObject => ({ apiVersion, kind: ref.kind, metadata: { name: ref.name }, plugin: 'x' });
    await place.source.write([{ ref, apply }]);
    expect(await readdir(place.dir)).toEqual(['kongclusterplugin-limits.yaml']);
  });

  test.for([
    ['Alice_B', 'kongconsumer-default-alice-b.yaml'],
    ['x'.repeat(253), /^kongconsumer-default-x+-[\da-f]{12}\.yaml$/],
  ] as const)('of an odd name has a sound one: %s', async ([name, file]) => {
    await place.start();
    await place.source.write([{ ref: consumerRef(name), apply: () => consumer(name) }]);
    const [only = ''] = await readdir(place.dir);
    expect(only).toMatch(file);
    expect(place.log.object(consumerRef(name))).toBeDefined();
  });

  test('never takes the file of something else', async () => {
    await place.write('kongconsumer-default-alice.yaml', consumerYaml('bob'));
    await place.start();
    await place.source.write([{ ref: alice, apply: () => consumer('alice') }]);
    expect(await text('kongconsumer-default-alice.yaml')).toBe(consumerYaml('bob'));
    expect(await text('kongconsumer-default-alice-2.yaml')).toBe(consumerYaml('alice'));
  });

  test('that is a Secret is its owner’s alone', async () => {
    await place.start();
    const ref = { kind: 'Secret', namespace: 'default', name: 'key' };
    const apply = (): KubernetesObject => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' } });
    await place.source.write([
      { ref, apply },
      { ref: alice, apply: () => consumer('alice') },
    ]);
    expect(await modeOf('secret-default-key.yaml')).toBe('600');
    expect(await modeOf('kongconsumer-default-alice.yaml')).toBe((0o666 & ~process.umask()).toString(8));
  });

  test('may take the place of one that the same write deletes', async () => {
    await place.start();
    await place.source.write([{ ref: alice, apply: () => consumer('alice') }]);
    await place.source.write([
      { ref: alice, ...remove },
      { ref: alice, apply: (current) => consumer('alice', { custom_id: typeof current }) },
    ]);
    expect(await readdir(place.dir)).toEqual(['kongconsumer-default-alice.yaml']);
    expect(place.log.object(alice)).toMatchObject({ custom_id: 'undefined' });
  });
});

describe('a changed object', () => {
  test('stays in its file, with all that its author wrote around it', async () => {
    const before = `# Who may come in.\n${consumerYaml('alice')}---\n# And who else.\n${consumerYaml('bob')}`;
    await place.write('people.yaml', before);
    await chmod(place.at('people.yaml'), 0o640);
    await place.start();
    await place.source.write([
      { ref: bob, apply: (current) => ({ ...(current ?? consumer('bob')), username: 'bobby' }) },
    ]);
    expect(await text('people.yaml')).toBe(before.replace('username: bob', 'username: bobby'));
    expect(await modeOf('people.yaml')).toBe('640');
    expect(await readdir(place.dir)).toEqual(['people.yaml']);
    await place.sentinel();
    expect(place.told().slice(2)).toEqual(['put KongConsumer default/bob']);
  });

  test('that is no different is not written', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await utimes(place.at('a.yaml'), 1000, 1000);
    await place.start();
    await place.source.write([{ ref: alice, apply: (current) => current }]);
    expect((await stat(place.at('a.yaml'))).mtimeMs).toBe(1_000_000);
  });

  test('behind a link is changed where the link leads', async () => {
    const target = join(place.parent, 'target.yaml');
    await writeFile(target, consumerYaml('alice'));
    await symlink(target, place.at('a.yaml'));
    await place.start();
    await place.source.write([{ ref: alice, ...rename('renamed') }]);
    expect((await lstat(place.at('a.yaml'))).isSymbolicLink()).toBe(true);
    expect(await readFile(target, 'utf8')).toBe(consumerYaml('alice', 'renamed'));
  });

  test('is what its file holds now, not what was read of it last', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await place.start();
    // No waiting in between: the source has not noticed yet.
    await place.write('a.yaml', `# New.\n${consumerYaml('alice')}custom_id: new\n`);
    await place.source.write([{ ref: alice, ...rename('renamed') }]);
    expect(await text('a.yaml')).toBe(`# New.\n${consumerYaml('alice', 'renamed')}custom_id: new\n`);
    expect(place.log.object(alice)).toMatchObject({ username: 'renamed', custom_id: 'new' });
  });

  test('is found where it has been moved to', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await place.start();
    await move(place.at('a.yaml'), place.at('b.yaml'));
    await place.log.waitFor('the move', () => place.log.moves.length > 0);
    await place.source.write([{ ref: alice, ...rename('renamed') }]);
    expect(await readdir(place.dir)).toEqual(['b.yaml']);
  });

  test('of a file that does not parse is refused, naming the place, and nothing is written', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await place.start();
    const broken = `${consumerYaml('alice')}credentials: [one\n`;
    await place.write('a.yaml', broken);
    await place.log.untilProblems((problems) => problems.length === 1);
    const writing = place.source.write([
      { ref: bob, apply: () => consumer('bob') },
      { ref: alice, ...rename('renamed') },
    ]);
    await expect(writing).rejects.toThrow(`${place.at('a.yaml')}:7:1: `);
    expect(await text('a.yaml')).toBe(broken);
    expect(await readdir(place.dir)).toEqual(['a.yaml']);
  });

  test('under another name is refused', async () => {
    await place.start();
    await expect(place.source.write([{ ref: alice, apply: () => consumer('bob') }])).rejects.toThrow(
      'an edit of KongConsumer default/alice gave an object of another name',
    );
  });
});

describe('a deleted object', () => {
  test('leaves its file when there is more in it, and takes it along when not', async () => {
    await place.write('people.yaml', `${consumerYaml('alice')}---\n${consumerYaml('bob')}`);
    await place.start();
    await place.source.write([{ ref: alice, ...remove }]);
    expect(await text('people.yaml')).toBe(`---\n${consumerYaml('bob')}`);
    await place.source.write([{ ref: bob, ...remove }]);
    expect(await readdir(place.dir)).toEqual([]);
    expect(place.told().slice(2)).toEqual(['delete KongConsumer default/alice', 'delete KongConsumer default/bob']);
  });

  test('goes from every place where it stands', async () => {
    await place.write('a.yaml', `${consumerYaml('alice')}---\n${consumerYaml('bob')}`);
    await place.write('b.yaml', `${consumerYaml('alice', 'b')}---\n${consumerYaml('alice', 'c')}`);
    await place.start();
    await place.source.write([{ ref: alice, ...remove }]);
    expect(place.log.object(alice)).toBeUndefined();
    expect(await readdir(place.dir)).toEqual(['a.yaml']);
    expect(place.problems()).toEqual([]);
  });
});

test('nothing but the files is left behind, and reading gives what they hold', async () => {
  await place.start();
  for (const username of ['one', 'two', 'three']) await place.source.write([{ ref: alice, ...rename(username) }]);
  expect(await readdir(place.dir)).toEqual(['kongconsumer-default-alice.yaml']);
  expect(await place.source.read(alice)).toEqual(place.log.object(alice));
});
