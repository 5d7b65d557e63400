import { RE2JS } from 're2js';
import Type, { type Static } from 'typebox';
import type { PluginSchema } from '#plugins/plugin.ts';

const methods = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'] as const;

const config = Type.Object(
  {
    origins: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description:
          'Origins that may read answers: `*`, an origin, or a regular expression of whole origins (without `:`, of hosts). Absent for all.',
      }),
    ),
    methods: Type.Array(Type.Enum([...methods], { type: 'string' }), {
      default: [...methods],
      description: 'Access-Control-Allow-Methods.',
    }),
    headers: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: 'Access-Control-Allow-Headers. Absent for those that the preflight asks for.',
      }),
    ),
    exposed_headers: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), { description: 'Access-Control-Expose-Headers.' }),
    ),
    max_age: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Seconds for which a browser may keep the answer to a preflight.' }),
    ),
    credentials: Type.Boolean({
      default: false,
      description: 'Send Access-Control-Allow-Credentials. The origin is then stated in place of `*`.',
    }),
    preflight_continue: Type.Boolean({
      default: false,
      description: 'Leave preflights to the plugins that come next and to the upstream.',
    }),
    private_network: Type.Boolean({
      default: false,
      description: 'Allow a preflight that asks for it the private network.',
    }),
    allow_origin_absent: Type.Boolean({
      default: true,
      description: 'Send the headers also to a request without Origin.',
    }),
  },
  { additionalProperties: false },
);

export type CorsConfig = Static<typeof config>;

/** RFC 9110 section 5.6.2: what a name of a header is made of, and `*`. */
const token = /^[\w!#$%\x26'*+.^`\|~\-]+$/v;

function isExpression(text: string): boolean {
  try {
    RE2JS.compile(text);
    return true;
  } catch {
    return false;
  }
}

/** Faults of a list, item by item. */
function faultsOf(field: string, values: readonly string[], check: (value: string) => string | undefined) {
  return values.flatMap((value, i) => {
    const message = check(value);
    return message === undefined ? [] : [{ field: `config.${field}[${i}]`, message }];
  });
}

const nameFault = (name: string) => (token.test(name) ? undefined : `expected the name of a header, got '${name}'`);

const originFault = (origin: string) =>
  origin === '*' || isExpression(origin) ? undefined : `'${origin}' is not a valid regex`;

/** Control side of cors: which pages of other origins may read the answers. */
export const corsSchema: PluginSchema<typeof config> = {
  name: 'cors',
  config,
  refine: ({ origins = [], headers = [], exposed_headers: exposed = [] }) => [
    ...faultsOf('origins', origins, originFault),
    ...faultsOf('headers', headers, nameFault),
    ...faultsOf('exposed_headers', exposed, nameFault),
  ],
  isForAllCallers: true,
};
