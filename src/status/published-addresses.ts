import type { KubernetesObject } from '#resources/kind.ts';
import type { Logger } from '#telemetry/log.ts';
import { addressesOf, addressesOfService, sameAddresses, type Address } from './addresses.ts';

/** Where the addresses of Ingresses come from. */
export type Publish =
  | { readonly addresses: readonly string[] }
  | { readonly service: { readonly namespace: string; readonly name: string } };

export interface PublishedAddressesOptions {
  readonly publish: Publish | undefined;
  readonly log: Logger;
  changed(): void;
}

/** The addresses that Ingresses get by now. Those of a Service that has none any more stay until it has others. */
export function createPublishedAddresses({ publish, log, changed }: PublishedAddressesOptions) {
  const service = publish !== undefined && 'service' in publish ? publish.service : undefined;
  let addresses: readonly Address[] =
    publish !== undefined && 'addresses' in publish ? addressesOf(publish.addresses) : [];

  return {
    current: (): readonly Address[] => addresses,
    /** The publish Service as it is now; undefined when there is none. */
    takeService(object: KubernetesObject | undefined): void {
      if (service === undefined) return;
      const found = addressesOfService(object);
      if (found.length === 0) {
        log.info(`waiting for addresses of publish service ${service.namespace}/${service.name}`);
        return;
      }
      if (sameAddresses(found, addresses)) return;
      addresses = found;
      changed();
    },
  };
}
