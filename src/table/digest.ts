import { hash } from 'node:crypto';

/** Makes the digest of a credential's secret; see `makeDigest`. */
export type Digest = (type: string, secret: string) => Buffer;

/** Bytes of a digest that are kept: 128 bits leave no collision to find among any number of keys. */
export const digestBytes = 16;
/** Bytes of the random secret that `makeDigest` takes. */
export const digestSecretBytes = 32;

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
  return (type, secret) => {
    let input = inputs.get(type);
    if (input === undefined) {
      input = Buffer.concat([processSecret, Buffer.alloc(32), Buffer.from(type, 'utf8')]);
      inputs.set(type, input);
    }
    hash('sha256', secret, 'buffer').copy(input, digestSecretBytes);
    return hash('sha256', input, 'buffer').subarray(0, digestBytes);
  };
}
