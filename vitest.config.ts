import { defineConfig } from 'vitest/config';

/** Tests against the real Kubernetes API server; they share a control plane that is started once. */
const clusterTests = ['test/cluster/**/*.test.ts', 'test/contract/source-kubernetes.test.ts'];

export default defineConfig({
  test: {
    // Goldens are only ever written by `npm run golden`; a missing one fails.
    update: process.env['GOLDEN'] === '1' ? 'all' : 'none',
    testTimeout: 30_000,
    hookTimeout: 60_000,
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
