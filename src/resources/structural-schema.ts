/**
 * The schema of a kind as a CustomResourceDefinition can say it: a structural OpenAPI v3 schema.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export interface StructuralSchema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: StructuralSchema;
  readonly items?: StructuralSchema;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly [keyword: string]: unknown;
}

/** The parts of JSON Schema that our kinds use. */
interface JsonSchema {
  readonly type?: string;
  readonly anyOf?: readonly { readonly const?: unknown }[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

/** Keywords that mean the same in both, in the order in which they are written. */
const same = [
  'description',
  'type',
  'format',
  'default',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-preserve-unknown-fields',
];

const isFreeForm = (schema: JsonSchema): boolean => schema.type === undefined && schema.anyOf === undefined;

/** What holds of an object: its properties, or what all its values are. */
function ofObject({ properties, patternProperties, required }: JsonSchema): StructuralSchema {
  const [values] = Object.values(patternProperties ?? {});
  if (values !== undefined) {
    return isFreeForm(values)
      ? { 'x-kubernetes-preserve-unknown-fields': true }
      : { additionalProperties: structural(values) };
  }
  const fields = Object.entries(properties ?? {}).map(([name, schema]) => [name, structural(schema)]);
  return {
    ...(fields.length === 0 ? {} : { properties: Object.fromEntries(fields) as Record<string, StructuralSchema> }),
    ...(required === undefined || required.length === 0 ? {} : { required }),
  };
}

/**
 * A schema of ours, as typebox makes it, in that form. Fields that a schema does not name are not refused:
 * the API server prunes them.
 *
 * @throws Error when a schema says what no structural schema can say
 */
export function structural(schema: object): StructuralSchema {
  const json = schema as JsonSchema;
  const copied = Object.fromEntries(same.flatMap((name) => (name in json ? [[name, json[name]]] : [])));
  if (isFreeForm(json)) return { ...copied, 'x-kubernetes-preserve-unknown-fields': true };
  if (json.anyOf !== undefined) {
    const values = json.anyOf.map((member) => member.const);
    if (!values.every((value) => typeof value === 'string')) {
      throw new Error('a structural schema has no unions but those of texts');
    }
    return { ...copied, type: 'string', enum: values };
  }
  if (json.type === 'object') return { ...copied, ...ofObject(json) };
  return json.items === undefined ? copied : { ...copied, items: structural(json.items) };
}
