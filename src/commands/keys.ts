import { hash } from 'node:crypto';
import { Command } from 'commander';
import { UsageError } from './usage-error.ts';

/** No key is longer: a header that carries it would be refused. */
const mostKeyBytes = 16_384;

async function readKey(input: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of input) {
    parts.push(part);
    length += part.byteLength;
    if (length > mostKeyBytes) throw new UsageError('the key is longer than a request could carry');
  }
  return Buffer.concat(parts);
}

/** `echo` and editors end a line; one end of a line is no part of the key. */
const withoutLineEnd = (text: string): string => text.replace(/\r?\n$/, '');

/** What stands in a Secret as `keyHash`. */
async function keyHash(input: AsyncIterable<Buffer>): Promise<string> {
  const bytes = await readKey(input);
  const text = bytes.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(bytes)) throw new UsageError('the key is not UTF-8 text');
  const key = withoutLineEnd(text);
  if (key === '') throw new UsageError('there is no key on standard input');
  if (/[\r\n]/.test(key)) throw new UsageError('the key has more than one line, which no request could carry');
  if (key.trim() !== key) throw new UsageError('the key begins or ends with white space, which no header can carry');
  return `sha256:${hash('sha256', key, 'hex')}`;
}

/** `latchkey keys hash`: from a key on standard input, where no list of processes and no history shows it. */
export function keysCommand(): Command {
  const hashCommand = new Command('hash')
    .description('print what a Secret may have as keyHash instead of key, for a key that is read from standard input')
    .action(async () => {
      process.stdout.write(`${await keyHash(process.stdin)}\n`);
    });
  return new Command('keys').description('what to do with keys, without serving anything').addCommand(hashCommand);
}
