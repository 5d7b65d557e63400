import type { LiveLimits } from '#table/limits-entry.ts';
import type { Limits } from './proxy-settings.ts';
import type { ServedTable } from './served-table.ts';

/** The limits that hold now: those of the ingress class before those of the flags. */
export interface LimitsInForce {
  readonly now: LiveLimits;
  /** The table changed. */
  tableChanged(): void;
}

/**
 * See `LimitsInForce`.
 *
 * @param most connections that there are files for
 */
export function limitsInForce(
  settings: Limits,
  table: Pick<ServedTable, 'limits'>,
  most = Number.POSITIVE_INFINITY,
): LimitsInForce {
  const bounded = (limits: LiveLimits): LiveLimits => ({ ...limits, connections: Math.min(limits.connections, most) });
  let now = bounded(settings);
  let stated = table.limits();
  return {
    get now() {
      return now;
    },
    tableChanged() {
      if (table.limits() === stated) return;
      stated = table.limits();
      now = bounded({ ...settings, ...stated });
    },
  };
}
