import type { LiveLimits } from '#table/limits-entry.ts';
import type { Limits } from './proxy-settings.ts';
import type { ServedTable } from './served-table.ts';

/** The limits that hold now: those of the ingress class before those of the flags. */
export interface LimitsInForce {
  readonly now: LiveLimits;
  /** The table changed. */
  tableChanged(): void;
}

/** See `LimitsInForce`. */
export function limitsInForce(settings: Limits, table: Pick<ServedTable, 'limits'>): LimitsInForce {
  let now: LiveLimits = settings;
  let stated = table.limits();
  return {
    get now() {
      return now;
    },
    tableChanged() {
      if (table.limits() === stated) return;
      stated = table.limits();
      now = { ...settings, ...stated };
    },
  };
}
