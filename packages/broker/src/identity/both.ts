import type { Authenticator, Credentials, Verdict } from './authenticator.js';
import type { Principal } from './principal.js';

/** Asks for two proofs of one name: what names it, such as the client certificate, and what another one wants for it. */
export class Both implements Authenticator {
  constructor(
    private readonly name: (credentials: Credentials) => Verdict,
    private readonly other: Authenticator,
  ) {}

  async authenticate(credentials: Credentials): Promise<Verdict> {
    const named = this.name(credentials);
    if ('notMine' in named) return { denied: 'certificate_required' };
    if ('denied' in named) return named;
    const { username } = named.principal;
    if (credentials.username !== undefined && credentials.username !== username) return { denied: 'names_differ' };
    const proven = await this.other.authenticate({ ...credentials, username });
    return 'principal' in proven ? joined(named.principal, proven.principal) : proven;
  }
}

/** Both proofs in one principal, which ends with the first of them; denied when they are of two names. */
export function joined(named: Principal, proven: Principal): Verdict {
  if (named.username !== proven.username) return { denied: 'names_differ' };
  const expiresAt = Math.min(named.expiresAt ?? Number.POSITIVE_INFINITY, proven.expiresAt ?? Number.POSITIVE_INFINITY);
  return { principal: { ...named, ...proven, ...(Number.isFinite(expiresAt) ? { expiresAt } : {}) } };
}
