/** A copy in ascending order. */
const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** The value that a share of all values does not exceed (nearest rank); 0.99 for the p99. NaN if there is none. */
export function quantile(values: readonly number[], share: number): number {
  const rank = Math.max(1, Math.ceil(share * values.length));
  return sorted(values)[rank - 1] ?? Number.NaN;
}

/** The middle value, or the mean of the two in the middle. NaN if there is none. */
export function median(values: readonly number[]): number {
  const ascending = sorted(values);
  const above = ascending[Math.floor(ascending.length / 2)] ?? Number.NaN;
  const below = ascending[Math.ceil(ascending.length / 2) - 1] ?? Number.NaN;
  return (above + below) / 2;
}

/** The median of several measurements and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** How much the second value grows for one of the first, by the line that fits best (least squares). */
export function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (pick: 0 | 1): number => points.reduce((sum, point) => sum + point[pick], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
