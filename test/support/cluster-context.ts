/** What tests against the real API server use: kubectl, helm, namespaces of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, inject } from 'vitest';
import type { ControlPlaneAccess } from './control-plane.ts';

/** `describe` for tests that need the shared control plane; skipped (loudly, by cluster-setup.ts) without one. */
// oxlint-disable-next-line vitest/valid-describe-callback -- the call is at whoever uses it
export const describeCluster = describe.skipIf(inject('controlPlane') === undefined);

/** The control plane that the tests of this run share. */
export function controlPlane(): ControlPlaneAccess {
  const access = inject('controlPlane');
  if (access === undefined) throw new Error('there is no control plane: use describeCluster');
  return access;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; what it is given on standard input comes first. */
export async function runProgram(path: string, args: readonly string[], input = ''): Promise<CommandResult> {
  // Nothing is written to a program that is given nothing: it may have ended by then.
  const child = spawn(path, args, { stdio: [input === '' ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  child.stdin?.end(input);
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

/** kubectl and helm as the administrator of a control plane. */
export function commandsFor({ kubeconfig, programs }: ControlPlaneAccess) {
  const asAdmin = (path: string) => {
    const attempt = async (args: readonly string[], input = ''): Promise<CommandResult> =>
      runProgram(path, ['--kubeconfig', kubeconfig, ...args], input);
    const expectGood = async (args: readonly string[], input = ''): Promise<string> => {
      const result = await attempt(args, input);
      if (result.code !== 0) throw new Error(`${args.join(' ')}: ${result.stderr}`);
      return result.stdout;
    };
    return { attempt, expectGood };
  };
  const kubectl = asAdmin(programs.kubectl);
  const helm = asAdmin(programs.helm);
  return {
    /** Runs kubectl and gives what it prints. @throws Error with what it says when it fails */
    kubectl: kubectl.expectGood,
    /** Runs kubectl whatever comes of it. */
    tryKubectl: kubectl.attempt,
    helm: helm.expectGood,
    tryHelm: helm.attempt,
    /** `kubectl apply` of objects. */
    apply: async (...objects: readonly object[]): Promise<string> =>
      kubectl.expectGood(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })),
  };
}
