import type { Invites } from '@moat/pki';
import { isTls, type Listener } from '../config/listener-schema.js';
import type { Configuration } from '../config/schema.js';
import { anonymousAuthenticator, anybody } from '../identity/anonymous.js';
import {
  type Authenticator,
  AuthenticatorChain,
  type Credentials,
  notMine,
  type Verdict,
} from '../identity/authenticator.js';
import { Both, joined } from '../identity/both.js';
import { CertificateAuthenticator } from '../identity/certificate.js';
import { type NameTemplate, parseNameTemplate } from '../identity/certificate-name.js';
import { InviteAuthenticator } from '../identity/invite.js';
import { PasswordAuthenticator, type PasswordGates } from '../identity/password.js';
import type { PasswordFile } from '../identity/password-file.js';
import type { Principal } from '../identity/principal.js';
import { pskAuthenticator } from '../identity/psk.js';
import type { HashRenewal } from '../identity/renewal.js';

/** What passwords are checked with. */
export interface PasswordChecks {
  readonly gates: PasswordGates;
  /** Undefined where hashes stay as they are. */
  readonly renewal: HashRenewal | undefined;
}

/**
 * Who is asked on one listener, in order: the certificate, the password, then whether nobody is somebody too. Nothing
 * is asked of a client that the standard has not. // [MQTT3-7.0.0-2]
 */
export function authenticatorOf(
  { authentication }: Configuration,
  listener: Listener,
  passwords: PasswordFile,
  { gates, renewal }: PasswordChecks,
): Authenticator {
  const password = new PasswordAuthenticator(passwords, gates, renewal);
  if (needsBoth(listener)) return new Both(namerOf(listener), password);
  const naming = namingOf(listener);
  // Where no user has a password there is none to be wrong: who is anonymous anyway may say what it likes.
  if (authentication.allow_anonymous && passwords.size === 0) return new AuthenticatorChain([...naming, anybody]);
  const anonymous = authentication.allow_anonymous ? [anonymousAuthenticator] : [];
  return new AuthenticatorChain([...naming, password, ...anonymous]);
}

/** The same, with those asked first who know invites: what one proves counts for nothing else. */
export function authenticatorWithInvites(invites: Invites | undefined, others: Authenticator): Authenticator {
  return invites === undefined ? others : new AuthenticatorChain([new InviteAuthenticator(invites), others]);
}

/** Judges whom an exchange of AUTH packets has proven: what the listener asks for besides has to be shown, too. */
export function confirmationOf(listener: Listener): (principal: Principal, credentials: Credentials) => Verdict {
  const name = namerOf(listener);
  return (principal, credentials) => {
    const { certificate } = credentials;
    if (!needsBoth(listener)) return { principal: certificate ? { certificate, ...principal } : principal };
    const named = name(credentials);
    if ('principal' in named) return joined(named.principal, principal);
    return 'denied' in named ? named : { denied: 'certificate_required' };
  };
}

/** How a name is taken from a certificate, as the configuration has it. */
export function certificateNameOf(written: string | false): NameTemplate | undefined {
  const template = written === false ? undefined : parseNameTemplate(written);
  // What is no template was refused with the configuration.
  return typeof template === 'object' ? template : undefined;
}

function needsBoth(listener: Listener): boolean {
  return isTls(listener) && listener.authenticate === 'all';
}

/** Who name a client by what its TLS connection rests on. */
function namingOf(listener: Listener): { authenticate(credentials: Credentials): Verdict }[] {
  const template = isTls(listener) ? certificateNameOf(listener.use_identity_as_username) : undefined;
  if (!isTls(listener) || template === undefined) return [];
  return [new CertificateAuthenticator(template), ...(listener.psk_file === undefined ? [] : [pskAuthenticator])];
}

function namerOf(listener: Listener): (credentials: Credentials) => Verdict {
  const naming = namingOf(listener);
  return (credentials) => {
    const verdicts = naming.map((one) => one.authenticate(credentials));
    return verdicts.find((verdict) => !('notMine' in verdict)) ?? notMine;
  };
}
