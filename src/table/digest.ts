import { hash } from 'node:crypto';

/** Makes the digest of a credential's secret; see `makeDigest`. */
export interface Digest {
  (type: string, secret: string): Buffer;
  /** The same digest, for whoever knows but the SHA-256 of the secret. */
  ofHash(type: string, sha256: Uint8Array): Buffer;
}

/** Bytes of a digest that are kept: 128 bits leave no collision to find among any number of keys. */
export const digestBytes = 16;
/** Bytes of the random secret that `makeDigest` takes. */
export const digestSecretBytes = 32;

/** A hash as text, a character a byte: Node makes that in a third of the time of a Buffer (0.2 µs, not 0.7). */
const latin1 = 'latin1';

/**
 * The function that turns the secret of a credential into what is stored and compared instead of it: a
 * digest, keyed with a random secret of this process, of the SHA-256 of the value. The SHA-256 in between
 * lets a Secret hold only the hash of a key. The keyed part is SHA-256 over
 * (process secret, type, inner hash): all parts but the type have a fixed length and the type comes last,
 * so no two inputs meet and no length extension helps.
 */
export function makeDigest(processSecret: Uint8Array): Digest {
  if (processSecret.byteLength !== digestSecretBytes) throw new Error(`a digest secret has ${digestSecretBytes} bytes`);
  const inputs = new Map<string, Buffer>();
  const inputOf = (type: string): Buffer => {
    let input = inputs.get(type);
    if (input === undefined) {
      input = Buffer.concat([processSecret, Buffer.alloc(32), Buffer.from(type, 'utf8')]);
      inputs.set(type, input);
    }
    return input;
  };
  const outer = (input: Buffer): Buffer => Buffer.from(hash('sha256', input, latin1).slice(0, digestBytes), latin1);
  const ofHash = (type: string, sha256: Uint8Array): Buffer => {
    const input = inputOf(type);
    input.set(sha256, digestSecretBytes);
    return outer(input);
  };
  const digest = (type: string, secret: string): Buffer => {
    const input = inputOf(type);
    input.write(hash('sha256', secret, latin1), digestSecretBytes, latin1);
    return outer(input);
  };
  return Object.assign(digest, { ofHash });
}
