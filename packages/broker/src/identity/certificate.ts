import { type Authenticator, type Credentials, notMine, type Verdict } from './authenticator.js';
import { type NameTemplate, nameFrom } from './certificate-name.js';

/** Takes the user name from a verified certificate; only asked where the operator wants that. */
export class CertificateAuthenticator implements Authenticator {
  constructor(private readonly template: NameTemplate) {}

  authenticate({ certificate }: Credentials): Verdict {
    if (certificate === undefined) return notMine;
    const found = nameFrom(certificate, this.template);
    if ('problem' in found) return { denied: 'certificate_without_name', detail: found.problem };
    return { principal: { username: found.name, method: 'certificate', certificate } };
  }
}
