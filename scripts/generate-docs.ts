/** `npm run generate`: writes docs/reference from the catalogues in the code. CI fails if that changes anything. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandLine } from '#commands/command-line.ts';
import { pluginSchemas } from '#plugins/schemas.ts';
import { allKinds } from '#resources/all-kinds.ts';
import { annotations, type AnnotationText } from '#resources/annotations.ts';
import { fieldsOf } from '#resources/custom-resource-definition.ts';
import { apiVersionOf, type Kind } from '#resources/kind.ts';
import { reasons } from '#resources/reasons.ts';
import type { StructuralSchema } from '#resources/structural-schema.ts';
import { createMetrics } from '#telemetry/metrics.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'reference');
const notice = '<!-- Made by `npm run generate`; change the code, not this page. -->';

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(header), row(header.map(() => '---')), ...rows.map(row)].join('\n');
}

function page(name: string, title: string, body: string): void {
  writeFileSync(join(folder, `${name}.md`), `# ${title}\n\n${notice}\n\n${body}\n`);
}

function reasonsPage(): string {
  const rows = Object.entries(reasons).map(([name, { meaning, remedy }]) => [`\`${name}\``, meaning, remedy]);
  return table(['reason', 'what it means', 'what to do'], rows);
}

function annotationsPage(): string {
  const rows = Object.entries(annotations).map(([name, text]) => {
    const { on, meaning, unsupported }: AnnotationText = text;
    return [`\`${name}\``, on.join(', '), meaning, unsupported === undefined ? 'yes' : `not yet (${unsupported})`];
  });
  return table(['annotation', 'on', 'meaning', 'supported'], rows);
}

interface FieldSchema {
  readonly type?: string;
  readonly items?: { readonly type?: string };
  readonly default?: unknown;
  readonly description?: string;
}

function pluginsPage(): string {
  return [...pluginSchemas.values()]
    .map(({ name, config, credential }) => {
      const rows = Object.entries(config.properties as Record<string, FieldSchema>).map(([field, schema]) => [
        `\`${field}\``,
        schema.items === undefined ? (schema.type ?? '') : `${schema.type} of ${schema.items.type}`,
        schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``,
        schema.description ?? '',
      ]);
      const secret =
        credential === undefined
          ? ''
          : 'groupField' in credential
            ? `\n\nGroups: Secrets labelled \`konghq.com/credential: ${credential.type}\` with the data field \`${credential.groupField}\`.`
            : `\n\nCredentials: Secrets labelled \`konghq.com/credential: ${credential.type}\` with the data field${credential.nameField === undefined ? '' : `s \`${credential.nameField}\` and`} \`${credential.secretField}\`${credential.readableFields.length === 0 ? '' : `, and if you like ${credential.readableFields.map((field) => `\`${field}\``).join(', ')}`}.`;
      return `## ${name}\n\n${table(['field of `config`', 'type', 'default', 'meaning'], rows)}${secret}`;
    })
    .join('\n\n');
}

/** `list of text`, `map of list of text`; the values that are allowed instead, where there are few. */
function typeOf(schema: StructuralSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties !== undefined) return `map of ${typeOf(schema.additionalProperties)}`;
  return schema.type === 'string' ? 'text' : (schema.type ?? 'anything');
}

/** A field and all that are in it, as kubectl names them: `spec.hashOn.input`, `configPatches[].path`. */
function fieldRows(path: string, schema: StructuralSchema, isRequired: boolean): string[][] {
  const { items, description = '', default: byDefault } = schema;
  const inside = items?.properties === undefined ? schema : items;
  const prefix = inside === items ? `${path}[]` : path;
  const isValue = typeof byDefault !== 'object' && byDefault !== undefined;
  const own = [
    `\`${path}\``,
    typeOf(schema),
    isRequired ? 'required' : isValue ? `\`${String(byDefault)}\`` : '',
    description,
  ];
  const rows = Object.entries(inside.properties ?? {}).flatMap(([name, field]) =>
    fieldRows(`${prefix}.${name}`, field, inside.required?.includes(name) ?? false),
  );
  return [own, ...rows];
}

function kindSection(kind: Kind): string {
  const { properties = {}, required = [] } = fieldsOf(kind);
  const rows = Object.entries(properties).flatMap(([name, schema]) => fieldRows(name, schema, required.includes(name)));
  const short = kind.crd?.shortNames.map((name) => `, \`kubectl get ${name}\``).join('') ?? '';
  const stated = [...kind.rules, ...(kind.crd?.transitions ?? [])].map(({ message }) => `- ${message}`);
  const rules =
    stated.length === 0 ? '' : `\n\nWhat is refused, in the words of the API server:\n\n${stated.join('\n')}`;
  const about = `\`${apiVersionOf(kind)}\`, ${kind.scope === 'Cluster' ? 'without a namespace' : 'in a namespace'}${short}.`;
  const fields = table(['field', 'type', 'default', 'meaning'], rows);
  return `## ${kind.kind}\n\n${kind.crd?.description}\n\n${about}\n\n${fields}${rules}`;
}

function crdsPage(): string {
  return allKinds
    .filter(({ crd }) => crd !== undefined)
    .map(kindSection)
    .join('\n\n');
}

function flagsPage(): string {
  return commandLine(() => undefined)
    .commands.map((command) => {
      const rows = command.options.map((option) => [
        `\`${option.flags}\``,
        option.envVar === undefined ? '' : `\`${option.envVar}\``,
        // What depends on the machine is described, not printed.
        option.defaultValueDescription ?? (option.defaultValue === undefined ? '' : String(option.defaultValue)),
        option.description,
      ]);
      return `## latchkey ${command.name()}\n\n${command.description()}\n\n${table(['flag', 'environment', 'default', 'meaning'], rows)}`;
    })
    .join('\n\n');
}

/** A metric as prom-client keeps it, which its types do not tell. */
interface KeptMetric {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

async function metricsPage(): Promise<string> {
  const { registry } = createMetrics({ version: '' });
  const types = new Map((await registry.getMetricsAsJSON()).map(({ name, type }) => [name, String(type)]));
  const all = registry.getMetricsAsArray() as unknown as readonly KeptMetric[];
  const own = all.filter(({ name }) => !/^(?:process_|nodejs_)/.test(name));
  const rows = own.map(({ name, help, labelNames }) => [
    `\`${name}\``,
    types.get(name) ?? '',
    labelNames.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  return `${table(['metric', 'type', 'labels', 'meaning'], rows)}\n\nBesides these, the usual \`process_*\` and \`nodejs_*\` of Node.`;
}

mkdirSync(folder, { recursive: true });
page('reasons', 'Reasons', reasonsPage());
page('annotations', 'Annotations', annotationsPage());
page('crds', 'Kinds', crdsPage());
page('plugins', 'Plugins', pluginsPage());
page('flags', 'Flags', flagsPage());
page('metrics', 'Metrics', await metricsPage());
process.exit(0);
