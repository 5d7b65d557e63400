import Type, { type Static } from 'typebox';
import type { PluginSchema } from '#plugins/plugin.ts';

const config = Type.Object(
  {
    status_code: Type.Integer({
      minimum: 200,
      maximum: 599,
      default: 503,
      description: 'Status of the answer. 1xx is refused: it ends no request (RFC 9110 section 15.2).',
    }),
    message: Type.Optional(
      Type.String({ minLength: 1, description: 'Message of an answer in the usual form. Not together with `body`.' }),
    ),
    content_type: Type.Optional(Type.String({ minLength: 1, description: 'Content-Type of `body`. Default JSON.' })),
    body: Type.Optional(Type.String({ minLength: 1, description: 'Body of the answer, sent as it is.' })),
    echo: Type.Boolean({
      default: false,
      description: 'Answer with what came: scheme, host, method, path, query, route.',
    }),
    trigger: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Name of a header or query argument; a request that has neither goes on.',
      }),
    ),
  },
  { additionalProperties: false },
);

export type RequestTerminationConfig = Static<typeof config>;

/** A header takes no line breaks, and this one is the author's. */
const mediaType = /^[\t\u0020-\u007e]+$/;

/** Control side of request-termination: an answer instead of the upstream's. */
export const requestTerminationSchema: PluginSchema<typeof config> = {
  name: 'request-termination',
  config,
  refine({ message, content_type: contentType, body, trigger }) {
    const faults = [
      message !== undefined && (body !== undefined || contentType !== undefined)
        ? { field: 'config.message', message: 'cannot be used with content_type or body' }
        : undefined,
      contentType !== undefined && body === undefined
        ? { field: 'config.content_type', message: 'requires body' }
        : undefined,
      contentType !== undefined && !mediaType.test(contentType)
        ? { field: 'config.content_type', message: 'expected a media type such as text/plain' }
        : undefined,
      trigger !== undefined && !/^[A-Za-z0-9_-]+$/.test(trigger)
        ? { field: 'config.trigger', message: 'expected a name of letters, digits, hyphens and underscores' }
        : undefined,
    ];
    return faults.filter((fault) => fault !== undefined);
  },
};
