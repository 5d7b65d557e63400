import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const dockerfile = join(import.meta.dirname, '..', '..', 'Dockerfile');

/** The flags of Node with which the image starts Latchkey. @throws Error when the Dockerfile has no such line */
export function imageNodeFlags(): string[] {
  const found = /^ENTRYPOINT (\[.*\])$/m.exec(readFileSync(dockerfile, 'utf8'));
  const [node, ...rest] = JSON.parse(found?.[1] ?? '[]') as string[];
  if (node !== 'node' || rest.pop() !== '/app/src/main.ts')
    throw new Error('the image does not start src/main.ts with node');
  return rest;
}

/** What the image says to the C library, as `env` takes it. @throws Error when the Dockerfile has no such line */
export function imageTunables(): string {
  const found = /^ENV (GLIBC_TUNABLES=\S+)$/m.exec(readFileSync(dockerfile, 'utf8'))?.[1];
  if (found === undefined) throw new Error('the image has no tunables of glibc');
  return found;
}
