import { rmSync } from 'node:fs';
import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

/** A mounted ConfigMap: https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically */
async function mountVersion(dir: string, version: number, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(dir, `..${version}`), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, `..${version}`, name), text);
  await symlink(`..${version}`, join(dir, '..data_tmp'));
  await rename(join(dir, '..data_tmp'), join(dir, '..data'));
}

describe('links', () => {
  test('of a mounted ConfigMap are followed, and a swap is one batch', async () => {
    await mountVersion(place.dir, 1, { 'a.yaml': consumerYaml('alice'), 'b.yaml': consumerYaml('bob') });
    for (const name of ['a.yaml', 'b.yaml']) await symlink(`..data/${name}`, place.at(name));
    await place.start();
    expect(place.told()).toEqual(['put KongConsumer default/alice', 'put KongConsumer default/bob']);
    await mountVersion(place.dir, 2, { 'a.yaml': consumerYaml('alice', 'new'), 'b.yaml': consumerYaml('bob', 'new') });
    await place.log.untilPut(alice, named('new'));
    expect(place.log.object(bob)).toMatchObject({ username: 'new' });
    await rm(place.at('..1'), { recursive: true });
    await place.sentinel();
    expect(place.told()).toHaveLength(4);
  });

  test('to a file elsewhere are followed: its edits, its end, another target', async () => {
    const target = join(place.parent, 'target.yaml');
    await writeFile(target, consumerYaml('alice'));
    await symlink(target, place.at('a.yaml'));
    await place.start();
    await writeFile(target, consumerYaml('alice', 'renamed'));
    await place.log.untilPut(alice, named('renamed'));
    await writeFile(join(place.parent, 'other.yaml'), consumerYaml('alice', 'other'));
    await symlink(join(place.parent, 'other.yaml'), join(place.parent, 'link'));
    await rename(join(place.parent, 'link'), place.at('a.yaml'));
    await place.log.untilPut(alice, named('other'));
    await unlink(join(place.parent, 'other.yaml'));
    await place.log.untilGone(alice);
    expect(place.problems()).toEqual(['a.yaml:1: is a symbolic link to nothing']);
  });

  test('to a directory elsewhere are followed', async () => {
    const target = join(place.parent, 'elsewhere');
    await mkdir(target);
    await symlink(target, place.at('linked'));
    await place.start();
    await writeFile(join(target, 'a.yaml'), consumerYaml('alice'));
    await place.log.untilPut(alice);
    expect(place.log.lastChange(alice)).toMatchObject({ origin: { file: place.at('linked/a.yaml') } });
  });

  test('that lead in a circle end', async () => {
    await mkdir(place.at('deep'));
    await symlink('..', place.at('deep/circle'));
    await place.write('a.yaml', consumerYaml('alice'));
    await place.start();
    expect(place.told()).toEqual(['put KongConsumer default/alice']);
    expect(place.problems()).toEqual([]);
  });
});

describe('a directory that disappears', () => {
  const gone = (problems: readonly { readonly message: string }[]): boolean =>
    problems.some(({ message }) => message.startsWith('the directory has disappeared'));

  test('takes nothing with it; when it is back, everything is compared', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await place.write('b.yaml', consumerYaml('bob'));
    await place.start();
    const away = join(place.parent, 'away');
    await rename(place.dir, away);
    await place.log.untilProblems(gone);
    expect(place.problems()).toEqual([`${place.dir}:1: the directory has disappeared; what it held stays in force`]);
    expect(place.told()).toEqual(['put KongConsumer default/alice', 'put KongConsumer default/bob']);
    await expect(place.source.write([{ ref: alice, apply: () => undefined }])).rejects.toThrow(
      `directory ${place.dir} has disappeared`,
    );
    await rm(join(away, 'b.yaml'));
    await writeFile(join(away, 'a.yaml'), consumerYaml('alice', 'renamed'));
    await rename(away, place.dir);
    await place.log.untilGone(bob);
    await place.log.untilPut(alice, named('renamed'));
    await place.log.untilProblems((problems) => problems.length === 0);
    // It is watched again.
    await place.write('b.yaml', consumerYaml('bob'));
    await place.log.untilPut(bob);
  });

  test('and is made anew is compared with what it held', async () => {
    await place.write('a.yaml', consumerYaml('alice'));
    await place.start();
    // In one turn: the source does not look when only the files are gone.
    rmSync(place.dir, { recursive: true });
    await place.log.untilProblems(gone);
    expect(place.log.object(alice)).toBeDefined();
    await place.write('b.yaml', consumerYaml('bob'));
    await place.log.untilPut(bob);
    await place.log.untilGone(alice);
  });

  test('because the link to it now leads elsewhere is compared with that', async () => {
    for (const [version, username] of ['one', 'two'].entries()) {
      await mkdir(join(place.parent, `v${version}`));
      await writeFile(join(place.parent, `v${version}`, 'a.yaml'), consumerYaml('alice', username));
    }
    const current = join(place.parent, 'current');
    await symlink('v0', current);
    const source = directorySource(current);
    const log = createSourceLog();
    await source.start(log.listener);
    expect(log.object(alice)).toMatchObject({ username: 'one' });
    await symlink('v1', join(place.parent, 'next'));
    await rename(join(place.parent, 'next'), current);
    await log.untilPut(alice, named('two'));
    await writeFile(join(place.parent, 'v1', 'b.yaml'), consumerYaml('bob'));
    await log.untilPut(bob);
    await source.stop();
  });
});
