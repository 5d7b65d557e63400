import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directorySource } from '#source/directory.ts';
import { describeSource } from './source.contract.ts';

describeSource('a directory', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'latchkey-'));
  const fileOf = (kind: string, name: string): string => join(dir, `${kind}-default-${name}.yaml`.toLowerCase());
  return {
    makeSource: () => directorySource(dir),
    // In one turn: a file that is empty for long is believed.
    put: async (object) => writeFileSync(fileOf(object.kind, object.metadata.name), JSON.stringify(object)),
    remove: async ({ kind, name }) => rm(fileOf(kind, name)),
    close: async () => rm(dir, { recursive: true }),
  };
});
