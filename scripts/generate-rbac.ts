/**
 * `npm run rbac`: writes the rules of the chart's Roles from the kinds in the code; `npm run rbac:check`
 * (`--check`) fails when they differ.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { grantsFor, type GrantOptions, type PolicyRule } from '#resources/grants.ts';

const path = join(import.meta.dirname, '..', 'charts', 'latchkey', 'templates', '_rbac-rules.tpl');

const yamlOf = (rules: readonly PolicyRule[]): string =>
  rules
    .map(({ apiGroups, resources, verbs }) => stringify([{ apiGroups, resources, verbs }], { lineWidth: 0 }))
    .join('')
    .trimEnd();

/** A named template; its last rules are there only when the Admin API may write. */
function template(name: string, scope: GrantOptions['scope']): string {
  const always = grantsFor({ adminWrites: false, scope });
  const writes = grantsFor({ adminWrites: true, scope }).slice(always.length);
  return [
    `{{- define "${name}" -}}`,
    yamlOf(always),
    '{{- if .Values.adminApi.writes }}',
    '# What the Admin API writes.',
    yamlOf(writes),
    '{{- end }}',
    '{{- end }}',
  ].join('\n');
}

const text = `${[
  '{{- /* Made by `npm run rbac` from src/resources; change the code, not this file. */ -}}',
  template('latchkey.clusterRules', 'Cluster'),
  template('latchkey.namespaceRules', 'Namespaced'),
].join('\n\n')}\n`;

if (!process.argv.includes('--check')) writeFileSync(path, text);
else if (readFileSync(path, 'utf8') !== text) {
  console.error(`${path} is not what the kinds ask for: npm run rbac`);
  process.exitCode = 1;
}
