import type { Option } from 'commander';
import type { TranslateSettings } from '#translate/translation.ts';
import { flag, objectName, wholeNumber, type ObjectName } from './flag.ts';

/** What changes the meaning of objects, whether they are served or checked. */
export interface MeaningOptions {
  readonly ingressClass: string;
  /** Secret of the certificate for clients that name no host, or one that no Ingress has. */
  readonly defaultCertificate?: ObjectName;
  readonly clusterDomain?: string;
  /** Days before a key ends from which on people are warned; 0: they are not. */
  readonly keyExpiryWarning: number;
}

/** The flags of it. */
export function meaningOptions(): Option[] {
  return [
    flag('--ingress-class <name>', 'ingress class whose objects are ours').default('kong'),
    flag(
      '--default-certificate <namespace/name>',
      'Secret of type kubernetes.io/tls that is shown where no Ingress has a certificate for the name',
    )
      .default(undefined, 'one that is made at start and signs itself')
      .argParser(objectName),
    flag('--cluster-domain <domain>', 'domain of the cluster, at the end of the DNS names of Services'),
    flag('--key-expiry-warning <days>', 'days before a key ends from which on its consumer says so; 0 for never')
      .default(7)
      .argParser(wholeNumber({ min: 0, max: 3650 })),
  ];
}

const dayMs = 86_400_000;

/** The settings that the flags come to. */
export const translateSettingsOf = (options: MeaningOptions): TranslateSettings => ({
  ingressClass: options.ingressClass,
  keyExpiryWarningMs: options.keyExpiryWarning * dayMs,
  ...(options.defaultCertificate === undefined ? {} : { defaultCertificate: options.defaultCertificate }),
  ...(options.clusterDomain === undefined ? {} : { clusterDomain: options.clusterDomain }),
});
