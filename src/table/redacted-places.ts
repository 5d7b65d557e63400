/**
 * How redacted values reach a worker. A message is a structured clone, which drops what is private: the patch
 * is posted as it is, its redacted values beside it with their places, and the worker puts them back.
 * Whoever forgets to do so has no value rather than an open one.
 */
import type { TablePatch } from './patch.ts';
import { Redacted } from './redacted.ts';

type Path = readonly (string | number)[];

/** Where a redacted value stands among the entries of a patch, and what it is. */
export interface RedactedPlace {
  readonly path: Path;
  readonly value: string;
}

function placesIn(value: unknown, path: Path): RedactedPlace[] {
  if (typeof value !== 'object' || value === null) return [];
  if (value instanceof Redacted) return [{ path, value: value.reveal() }];
  return Object.entries(value).flatMap(([name, inner]) => placesIn(inner, [...path, name]));
}

/** The redacted values of a patch. Routes, which are by far the most, have none. */
export function redactedPlaces({ put }: TablePatch): RedactedPlace[] {
  return put.flatMap((entry, i) => (entry.kind === 'route' ? [] : placesIn(entry, [i])));
}

/** Puts redacted values back into a patch that has come through a message; the patch is the receiver's own. */
export function restoreRedacted({ put }: TablePatch, places: readonly RedactedPlace[]): void {
  for (const { path, value } of places) {
    let holder: unknown = put;
    for (const name of path.slice(0, -1)) holder = (holder as Record<string | number, unknown>)[name];
    Object.defineProperty(holder, path.at(-1) ?? '', {
      value: new Redacted(value),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
}
