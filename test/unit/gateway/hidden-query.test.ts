import { expect, test } from 'vitest';
import { hiddenQuery } from '#gateway/hidden-query.ts';

const secrets = { has: (name: string) => name === 'apikey' || name === 'my key' };

test.for<[query: string, shown: string]>([
  ['', ''],
  ['a=1&b', 'a=1&b'],
  ['apikey=k', 'apikey=***'],
  ['a=1&apikey=k&b=2', 'a=1&apikey=***&b=2'],
  ['APIKEY=k', 'APIKEY=***'],
  ['%61pikey=k', '%61pikey=***'],
  ['my+key=k&my%20key=k', 'my+key=***&my%20key=***'],
  ['apikey=k=l', 'apikey=***'],
  ['%zz=k', '%zz=***'],
  ['=k', '=k'],
])('%s is shown as %s', ([query, shown]) => {
  expect(hiddenQuery(query, secrets)).toBe(shown);
});
