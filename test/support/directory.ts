import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Ref } from '#resources/ref.ts';
import { directorySource } from '#source/directory.ts';
import type { FileProblem } from '#source/source.ts';
import { createSourceLog } from './source-log.ts';

/** The name of a KongConsumer in the namespace `default`. */
export const consumerRef = (name: string): Ref => ({ kind: 'KongConsumer', namespace: 'default', name });

/** The YAML of a KongConsumer. */
export const consumerYaml = (name: string, username = name): string => `apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata:
  name: ${name}
username: ${username}
`;

/** A real directory with a source that watches it, and what the source told. */
export async function watchedDirectory() {
  // One level down, so that a test may move or replace the directory itself.
  const parent = await mkdtemp(join(tmpdir(), 'latchkey-'));
  const dir = join(parent, 'conf');
  await mkdir(dir);
  const log = createSourceLog();
  const source = directorySource(dir);
  const at = (name: string): string => join(dir, name);
  return {
    parent,
    dir,
    log,
    source,
    at,
    /** Writes a file as most programs do: it is truncated, then filled, in one turn so that it is not empty for long. */
    async write(name: string, text: string): Promise<void> {
      await mkdir(dirname(at(name)), { recursive: true });
      writeFileSync(at(name), text);
    },
    /** Writes a file as careful programs do: under another name, then renamed. */
    async replace(name: string, text: string): Promise<void> {
      await writeFile(join(parent, 'replacement'), text);
      await rename(join(parent, 'replacement'), at(name));
    },
    remove: async (name: string): Promise<void> => rm(at(name), { recursive: true }),
    start: async (): Promise<void> => source.start(log.listener),
    /** Waits until everything that has happened so far must have been told. */
    async sentinel(): Promise<void> {
      const name = `sentinel-${String(performance.now()).replace('.', '-')}`;
      await writeFile(at(`${name}.yaml`), consumerYaml(name));
      await log.untilPut(consumerRef(name));
      await rm(at(`${name}.yaml`));
      await log.untilGone(consumerRef(name));
    },
    /** What was told of all objects but sentinels. */
    told: (): string[] => log.told().filter((change) => !change.includes('sentinel')),
    /** File problems as `a.yaml:1:2: message`, paths below the directory. */
    problems: (): string[] => log.problems.map((problem) => formatProblem(problem, dir)),
    async close(): Promise<void> {
      await source.stop();
      await rm(parent, { recursive: true });
    },
  };
}

export type WatchedDirectory = Awaited<ReturnType<typeof watchedDirectory>>;

function formatProblem({ file, line, column, message }: FileProblem, dir: string): string {
  const text = `${file}:${line}:${column ?? ''}: ${message}`;
  return text.replaceAll(`${dir}/`, '').replace(':: ', ': ');
}
