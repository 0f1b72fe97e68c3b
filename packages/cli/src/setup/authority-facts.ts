import type { Configuration } from '@moat/broker';
import type { Authority } from '@moat/pki';

/** What certificates are to say of the authority, as the configuration has it. */
export function authorityFacts({ pki }: Pick<Configuration, 'pki'>): Pick<Authority, 'ocspUrl'> {
  return pki.ocsp_url === undefined ? {} : { ocspUrl: pki.ocsp_url };
}
