import { defineConfig } from 'vitest/config';

/** Tests against the real Kubernetes API server; they share a control plane that is started once. */
const clusterTests = ['test/cluster/**/*.test.ts', 'test/contract/source-kubernetes.test.ts'];

export default defineConfig({
  test: {
    // Goldens are only ever written by `npm run golden`; a missing one fails.
    update: process.env['GOLDEN'] === '1' ? 'all' : 'none',
    // A hang is told a little later; in return a busy machine fails nothing.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    projects: [
      { extends: true, test: { name: 'latchkey', include: ['test/**/*.test.ts'], exclude: clusterTests } },
      {
        extends: true,
        test: { name: 'cluster', include: clusterTests, globalSetup: 'test/support/cluster-setup.ts' },
      },
    ],
  },
});
