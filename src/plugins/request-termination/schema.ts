import Type, { type Static } from 'typebox';
import { headerNameFault, headerValueFault } from '#plugins/header-text.ts';
import type { PluginSchema } from '#plugins/plugin.ts';

const config = Type.Object(
  {
    status_code: Type.Integer({
      default: 503,
      minimum: 200,
      maximum: 599,
      description: 'Status of the answer. 1xx is refused: it ends no request (RFC 9110 section 15.2).',
    }),
    message: Type.Optional(
      Type.String({
        description: 'Message of a JSON answer; without it, and without `body`, the usual one of the status.',
      }),
    ),
    body: Type.Optional(Type.String({ description: 'Body that is sent as it stands here, instead of a message.' })),
    content_type: Type.Optional(
      Type.String({ description: 'Content-Type of `body`; without it application/json; charset=utf-8.' }),
    ),
    echo: Type.Boolean({ default: false, description: 'Answer with a copy of the request, to see what arrives.' }),
    trigger: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Name of a header or query argument without which requests pass.',
      }),
    ),
  },
  { additionalProperties: false },
);

export type RequestTerminationConfig = Static<typeof config>;

const isStated = (text: string | undefined): boolean => text !== undefined && text !== '';

/** Kong's rules between the fields, with its texts. */
function betweenFields({ message, body, content_type, echo }: RequestTerminationConfig): string[] {
  const faults: string[] = [];
  const hasBody = isStated(body);
  const hasType = isStated(content_type);
  if (isStated(message) && (hasBody || hasType)) faults.push('message cannot be used with content_type or body');
  if (hasType && !hasBody) faults.push('content_type requires a body');
  if (echo && (hasBody || hasType)) faults.push('echo cannot be used with content_type and body');
  return faults;
}

/** Control side of request-termination. */
export const requestTerminationSchema: PluginSchema<typeof config> = {
  name: 'request-termination',
  config,
  refine(stated) {
    const faults = betweenFields(stated).map((message) => ({ field: 'config', message }));
    const typeFault = headerValueFault(stated.content_type ?? '');
    if (typeFault !== undefined) faults.push({ field: 'config.content_type', message: typeFault });
    const nameFault = stated.trigger === undefined ? undefined : headerNameFault(stated.trigger);
    if (nameFault !== undefined) faults.push({ field: 'config.trigger', message: nameFault });
    return faults;
  },
};
