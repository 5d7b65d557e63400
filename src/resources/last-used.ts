/** When the credentials of a consumer were last used, as its status tells it: to the minute, as RFC 3339 has it. */
import Type from 'typebox';

/** A credential by the names of its Secret and of the consumer that lists it, in one namespace. */
export interface CredentialNames {
  readonly namespace: string;
  readonly secret: string;
  readonly consumer: string;
}

/** That a credential was used, in milliseconds since the epoch; a whole minute. */
export interface CredentialUsed extends CredentialNames {
  readonly atMs: number;
}

/** Times in milliseconds since the epoch. */
export interface LastUses {
  /** Of any credential of the consumer, those that are gone included. */
  readonly consumerMs: number | undefined;
  /** By the names of Secrets. */
  readonly bySecret: ReadonlyMap<string, number>;
}

const lastUsedTime = (of: string) => Type.String({ format: 'date-time', description: `The minute in which ${of}.` });

/** What the status of a consumer has besides its conditions. */
export const lastUsesSchema = {
  lastUsedTime: Type.Optional(
    lastUsedTime('any credential of the consumer was last used, those that are gone included'),
  ),
  credentials: Type.Optional(
    Type.Array(
      Type.Object(
        {
          name: Type.String({ description: 'Name of the Secret.', maxLength: 253 }),
          lastUsedTime: lastUsedTime('it was last used'),
        },
        { description: 'When one credential was last used.' },
      ),
      {
        description:
          'The credentials that have been used since it is noted (the flag --credential-last-used), and when last.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      },
    ),
  ),
};

function toMs(text: unknown): number | undefined {
  const ms = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

const asFields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** What a status says, whatever it looks like. */
export function lastUsesIn(status: unknown): LastUses {
  const { credentials, lastUsedTime: ofConsumer } = asFields(status);
  const items = Array.isArray(credentials) ? credentials.map(asFields) : [];
  const pairs = items.flatMap(({ name, lastUsedTime: ofCredential }) => {
    const ms = toMs(ofCredential);
    return typeof name === 'string' && ms !== undefined ? [[name, ms] as const] : [];
  });
  return { consumerMs: toMs(ofConsumer), bySecret: new Map(pairs) };
}

const textOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16)}:00Z`;

/** The fields of the status that say it. */
export function lastUsesStatus({ consumerMs, bySecret }: LastUses): object {
  const credentials = [...bySecret].map(([name, ms]) => ({ name, lastUsedTime: textOf(ms) }));
  return {
    ...(consumerMs === undefined ? {} : { lastUsedTime: textOf(consumerMs) }),
    ...(credentials.length === 0 ? {} : { credentials }),
  };
}
