import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Goldens are only ever written by `npm run golden`; a missing one fails.
    update: process.env['GOLDEN'] === '1' ? 'all' : 'none',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
  },
});
