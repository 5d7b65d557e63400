import type { IngressClassParameters } from '#resources/ingress-class-parameters.ts';
import type { Problem } from '#resources/verdict.ts';
import type { RootKind } from './translation.ts';

const instead = {
  serviceUpstream: 'requests go to the endpoints of each Service',
  enableLegacyRegexDetection: 'a path is a regular expression only when it begins with /~',
} as const;

/** Settings of an ingress class: none of them does anything yet, and whoever turns one on is told. */
export const ingressClassParametersRoot: RootKind<IngressClassParameters> = {
  translate({ spec = {} }) {
    const fields = (Object.keys(instead) as (keyof typeof instead)[]).filter((field) => spec[field] === true);
    const problems = fields.map((name): Problem => {
      const field = `spec.${name}`;
      const message = `${field}: is not supported yet: ${instead[name]}`;
      return { reason: 'NotSupported', field, message, effect: 'field ignored' };
    });
    return { entries: [], problems };
  },
};
