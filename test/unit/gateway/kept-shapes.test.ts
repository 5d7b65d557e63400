import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** Makes ticks, the first by us, and tells which of them are still there after garbage was collected. */
const program = `
  import { createHook } from 'node:async_hooks';
  import { keepTickShape } from ${JSON.stringify(import.meta.resolve('#gateway/kept-shapes.ts'))};
  const made = [];
  const hook = createHook({
    init(id, type, trigger, resource) {
      if (type === 'TickObject') made.push(new WeakRef(resource));
    },
  }).enable();
  keepTickShape();
  process.nextTick(() => undefined);
  hook.disable();
  setTimeout(() => {
    gc();
    console.log(made.map((tick) => (tick.deref() === undefined ? 'gone' : Object.keys(tick.deref()).join(' '))).join());
  });
`;

test('of all that process.nextTick makes, one object stays', () => {
  const told = execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '--eval', program]);
  expect(told.toString().trim()).toBe('callback args,gone');
});
