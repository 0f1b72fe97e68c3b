import { type Invites, type ListedInvite, problemOf } from '@moat/pki';
import { type Authenticator, type Credentials, notMine, type Verdict } from './authenticator.js';

/** The user name that comes with a token in place of a password. No user can have it. */
const inviteUsername = '$enrol';

/** Milliseconds that an enrolment may take. */
const patience = 120_000;

/**
 * Recognises who bears an invite, by its token or its claim certificate. Such a principal may ask for a certificate, and
 * nothing else; a claim certificate never proves anything besides.
 */
export class InviteAuthenticator implements Authenticator {
  constructor(private readonly invites: Invites) {}

  authenticate(credentials: Credentials): Verdict | Promise<Verdict> {
    const { username, certificate } = credentials;
    if (username === inviteUsername) return this.byToken(credentials);
    const isClaim = certificate?.names.cn.some((name) => name.startsWith('$claim:'));
    return isClaim ? this.byCertificate(credentials) : notMine;
  }

  private async byToken({ password, origin }: Credentials): Promise<Verdict> {
    if (origin.tls === undefined) return { denied: 'tls_required', detail: 'a token is sent through TLS only' };
    const token = password === undefined ? '' : Buffer.from(password).toString('latin1');
    return verdictOn(await this.invites.ofToken(token));
  }

  private async byCertificate({ certificate }: Credentials): Promise<Verdict> {
    return verdictOn(await this.invites.ofCertificate(certificate?.fingerprint ?? ''));
  }
}

function verdictOn(invite: ListedInvite | undefined): Verdict {
  if (invite === undefined) return { denied: 'bad_token' };
  const now = Date.now();
  const problem = problemOf(invite, new Date(now));
  if (problem !== undefined) return { denied: 'bad_token', detail: `the invite ${invite.id} ${problem}` };
  const expiresAt = now + patience;
  return { principal: { username: `${inviteUsername}:${invite.id}`, method: 'invite', invite: invite.id, expiresAt } };
}
