import { describe, expect, test } from 'vitest';
import { createClaims, type Claimant } from '#table/claims.ts';

const claim = (rootKey: string, rank: string, owner = rootKey): Claimant => ({ rootKey, owner, rank });

/** Claims, and how often those of a root had to be recalled. */
function started(known: Readonly<Record<string, Claimant[]>> = {}) {
  const recalled: string[] = [];
  const claims = createClaims<Claimant>((rootKey) => {
    recalled.push(rootKey);
    return known[rootKey] ?? [];
  });
  return { claims, recalled };
}

describe('a thing that one root wants', () => {
  test('is held by the root, and nothing else is kept of it', () => {
    const { claims, recalled } = started();
    expect(claims.put('x', 'a', [claim('a', '2')])).toEqual([]);
    expect(claims.put('x', 'a', [claim('a', '3')])).toEqual([]);
    expect([claims.holderOf('x'), recalled]).toEqual(['a', []]);
    claims.remove('x', 'a');
    expect(claims.holderOf('x')).toBeUndefined();
  });

  test('for two of its entries is held by the older of them', () => {
    const { claims } = started();
    claims.put('x', 'a', [claim('a', '2', 'young'), claim('a', '1', 'old'), claim('a', '1', 'old')]);
    expect(claims.holderOf('x')).toEqual(claim('a', '1', 'old'));
  });
});

describe('a thing that two roots want', () => {
  const a = claim('a', '2');
  const b = claim('b', '1');

  test('goes to the older, whoever came first', () => {
    const { claims, recalled } = started({ a: [a] });
    claims.put('x', 'a', [a]);
    expect(claims.put('x', 'b', [b])).toEqual(['a']);
    expect([claims.holderOf('x'), recalled]).toEqual([b, ['a']]);
    expect(claims.put('x', 'b', [claim('b', '3')])).toEqual(['a']);
    expect(claims.holderOf('x')).toEqual(a);
  });

  test('is the other’s alone when one of them goes', () => {
    const { claims } = started({ a: [a] });
    claims.put('x', 'a', [a]);
    claims.put('x', 'b', [b]);
    expect(claims.remove('x', 'b')).toEqual(['a']);
    expect(claims.holderOf('x')).toBe('a');
    expect(claims.remove('x', 'b')).toEqual([]);
    expect(claims.holderOf('x')).toBe('a');
  });

  test('is lost by the one whose claim cannot be recalled, and it is told', () => {
    const { claims } = started();
    claims.put('x', 'a', [a]);
    expect(claims.put('x', 'b', [claim('b', '9')])).toEqual(['a']);
    expect(claims.holderOf('x')).toBe('b');
  });
});
