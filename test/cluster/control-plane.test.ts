import { expect, test } from 'vitest';
import { commandsFor, controlPlane, describeCluster } from '../support/cluster-context.ts';

describeCluster('the test control plane', () => {
  test('is a real one: kubectl and helm work, namespaces have a ServiceAccount, tokens are real', async () => {
    const { kubectl, helm } = commandsFor(controlPlane());
    expect(await kubectl(['version', '--output=json'])).toContain('"serverVersion"');
    await kubectl(['create', 'namespace', 'control-plane-test']);
    await kubectl(['wait', '--for=create', 'serviceaccount/default', '-n', 'control-plane-test', '--timeout=60s']);
    const token = await kubectl(['create', 'token', 'default', '-n', 'control-plane-test']);
    expect(token.split('.')).toHaveLength(3);
    expect(await helm(['list', '--all-namespaces'])).toContain('NAME');
    await kubectl(['delete', 'namespace', 'control-plane-test', '--timeout=60s']);
  });
});
