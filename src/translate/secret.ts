import type { Secret } from '#resources/secret.ts';
import { translateCertificate } from './certificate.ts';
import { credentialRoot } from './credential.ts';
import type { RootKind } from './translation.ts';

/** A Secret: a credential, a certificate, or something that whoever names it reads. */
export const secretRoot: RootKind<Secret> = {
  translate(object, context) {
    const credential = credentialRoot.translate(object, context);
    const certificate = translateCertificate(object, context);
    return { ...certificate, problems: [...credential.problems, ...certificate.problems] };
  },
};
