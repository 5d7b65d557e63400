/** Starts the control plane that the tests of the project `cluster` share, once per run. */
import type { TestProject } from 'vitest/node';
import { NoControlPlane } from './control-plane-programs.ts';
import { startControlPlane, type ControlPlaneAccess } from './control-plane.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Undefined where there is no control plane; the tests that need it are then skipped. */
    controlPlane: ControlPlaneAccess | undefined;
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  try {
    const controlPlane = await startControlPlane();
    project.provide('controlPlane', controlPlane.access);
    return async () => controlPlane.stop();
  } catch (error) {
    if (!(error instanceof NoControlPlane) || process.env['CI'] === 'true') throw error;
    process.stderr.write(`\n*** The tests against a real Kubernetes API server are SKIPPED: ${error.message} ***\n\n`);
    project.provide('controlPlane', undefined);
    return undefined;
  }
}
