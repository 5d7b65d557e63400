import { credentialSchemas } from '#plugins/schemas.ts';
import { sealSecret, type Sealing } from '#store/seal.ts';
import { slimConfigMap } from '#store/slim-config-map.ts';
import type { RecordedChange } from '#store/store.ts';
import type { Digest } from '#table/digest.ts';
import { Redacted } from '#table/redacted.ts';

/**
 * How Secrets are sealed: of credentials the fields that the plugins' schemas name, by this digest; all of those
 * that a plugin takes values from, by default none.
 */
export function sealingWith(digest: Digest, wants: Sealing['wants'] = () => false): Sealing {
  return {
    fieldsOf(type) {
      const schema = credentialSchemas.get(type);
      return schema !== undefined && 'groupField' in schema ? { readableFields: [schema.groupField] } : schema;
    },
    digest,
    digestOfHash: digest.ofHash,
    hide: (value) => new Redacted(value),
    wants,
  };
}

/** Secrets are sealed on arrival; nothing behind this ever sees a key. */
export function sealed(change: RecordedChange, sealing: Sealing): RecordedChange {
  if (change.type === 'delete') return change;
  if (change.ref.kind === 'ConfigMap') return { ...change, object: slimConfigMap(change.object) };
  if (change.ref.kind !== 'Secret') return change;
  return { ...change, object: sealSecret(change.object, sealing) };
}
