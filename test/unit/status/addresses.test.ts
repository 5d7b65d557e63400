import { expect, test } from 'vitest';
import { addressesIn, addressesOf, addressesOfService, sameAddresses } from '#status/addresses.ts';
import { serviceObject } from '../../support/status-objects.ts';

test('IP addresses and host names are told apart', () => {
  expect(addressesOf(['10.0.0.1', 'fd00::1', '10.0.0', 'lb.example.com'])).toEqual([
    { ip: '10.0.0.1' },
    { ip: 'fd00::1' },
    { hostname: '10.0.0' },
    { hostname: 'lb.example.com' },
  ]);
});

test.for([
  ['of a load balancer, IP and host name', { type: 'LoadBalancer', clusterIPs: ['10.96.0.1'] }, 2],
  ['of any other, the cluster IPs', { type: 'NodePort', clusterIPs: ['10.96.0.1', 'fd00::1'] }, 2],
  ['of an old API server, the one cluster IP', { type: 'ClusterIP', clusterIP: '10.96.0.1' }, 1],
  ['of a headless one, none', { type: 'ClusterIP', clusterIP: 'None', clusterIPs: ['None'] }, 0],
  ['of an ExternalName, none', { type: 'ExternalName', externalName: 'x.example.com' }, 0],
] as const)('%s', ([, spec, count]) => {
  const given = [{ ip: '203.0.113.1', hostname: 'lb.example.com' }];
  expect(addressesOfService(serviceObject(spec, given))).toHaveLength(count);
});

test('a load balancer that has none yet, and no Service, have none', () => {
  expect(addressesOfService(serviceObject({ type: 'LoadBalancer', clusterIPs: ['10.96.0.1'] }))).toEqual([]);
  expect(addressesOfService(undefined)).toEqual([]);
});

test.for([undefined, null, {}, { loadBalancer: null }, { loadBalancer: {} }])('a status of %j has none', (status) => {
  expect(addressesIn(status)).toEqual([]);
});

test('lists are the same when they name the same in the same order; ports do not matter', () => {
  expect(
    sameAddresses([{ ip: '10.0.0.1' }], addressesIn({ loadBalancer: { ingress: [{ ip: '10.0.0.1', ports: [] }] } })),
  ).toBe(true);
  expect(sameAddresses([{ ip: '10.0.0.1' }], [{ hostname: '10.0.0.1' }])).toBe(false);
  expect(sameAddresses([{ ip: '10.0.0.1' }], [])).toBe(false);
  expect(sameAddresses([{ ip: 'a' }, { ip: 'b' }], [{ ip: 'b' }, { ip: 'a' }])).toBe(false);
});
