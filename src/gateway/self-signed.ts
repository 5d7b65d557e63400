import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate and its key, as PEM. */
export interface Pair {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface SelfSignedOptions {
  readonly commonName: string;
  /** DNS names that it is for. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

// Tags of ASN.1 (X.690), as far as a certificate needs them.
const tag = { integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, utf8: 0x0c, sequence: 0x30, set: 0x31 };
/** UTCTime up to the year 2049, GeneralizedTime from then on (RFC 5280 section 4.1.2.5). */
const timeTag = { short: 0x17, long: 0x18 };
/** Context-specific tags, in X.509 and in a GeneralName: https://www.rfc-editor.org/rfc/rfc5280 */
const context = { version: 0xa0, extensions: 0xa3, dnsName: 0x82 };

const oid = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  subjectAltName: '551d11',
  extendedKeyUsage: '551d25',
  serverAuth: '2b06010505070301',
};

function lengthOf({ byteLength }: Buffer): Buffer {
  if (byteLength < 0x80) return Buffer.from([byteLength]);
  return byteLength < 0x100 ? Buffer.from([0x81, byteLength]) : Buffer.from([0x82, byteLength >> 8, byteLength & 0xff]);
}

function der(type: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([type]), lengthOf(content), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(tag.sequence, ...parts);
const objectId = (hex: string): Buffer => der(tag.oid, Buffer.from(hex, 'hex'));
const bitString = (bytes: Buffer): Buffer => der(tag.bits, Buffer.from([0]), bytes);

function time(date: Date): Buffer {
  const text = `${date.toISOString().replaceAll(/[-:T]|\..*/g, '')}Z`;
  return date.getUTCFullYear() < 2050
    ? der(timeTag.short, Buffer.from(text.slice(2)))
    : der(timeTag.long, Buffer.from(text));
}

/** Positive, since the first bit is not set, and of the length that RFC 5280 bounds. */
const serialNumber = (): Buffer => der(tag.integer, Buffer.from([0x01]), randomBytes(15));

const nameOf = (commonName: string): Buffer =>
  sequence(der(tag.set, sequence(objectId(oid.commonName), der(tag.utf8, Buffer.from(commonName)))));

const extension = (id: string, value: Buffer): Buffer => sequence(objectId(id), der(tag.octets, value));

function extensionsOf(names: readonly string[]): Buffer {
  const dnsNames = names.map((name) => der(context.dnsName, Buffer.from(name, 'latin1')));
  return der(
    context.extensions,
    sequence(
      extension(oid.extendedKeyUsage, sequence(objectId(oid.serverAuth))),
      ...(names.length === 0 ? [] : [extension(oid.subjectAltName, sequence(...dnsNames))]),
    ),
  );
}

/**
 * Makes a certificate that signs itself, with a fresh P-256 key: what clients get where nobody gave a
 * certificate. Node has no function for it, and the one form that is needed is less than what a library of
 * all forms would bring along.
 */
export function selfSigned({ commonName, names, notBefore, notAfter }: SelfSignedOptions): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(objectId(oid.ecdsaWithSha256));
  const name = nameOf(commonName);
  const toBeSigned = sequence(
    der(context.version, der(tag.integer, Buffer.from([2]))),
    serialNumber(),
    algorithm,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensionsOf(names),
  );
  const whole = sequence(toBeSigned, algorithm, bitString(sign('sha256', toBeSigned, privateKey)));
  const lines = whole.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}
