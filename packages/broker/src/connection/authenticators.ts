import { isTls, type Listener } from '../config/listener-schema.js';
import type { Configuration } from '../config/schema.js';
import { anonymousAuthenticator, anybody } from '../identity/anonymous.js';
import { type Authenticator, AuthenticatorChain } from '../identity/authenticator.js';
import { CertificateAuthenticator } from '../identity/certificate.js';
import { parseNameTemplate } from '../identity/certificate-name.js';
import { PasswordAuthenticator } from '../identity/password.js';
import type { PasswordFile } from '../identity/password-file.js';
import { pskAuthenticator } from '../identity/psk.js';

/**
 * Who is asked on one listener, in order: the certificate, the password, then whether nobody is somebody too. Nothing
 * is asked of a client that the standard has not. // [MQTT3-7.0.0-2]
 */
export function authenticatorOf(
  { authentication }: Configuration,
  listener: Listener,
  passwords: PasswordFile,
): Authenticator {
  const chain: Authenticator[] = [];
  if (isTls(listener) && listener.use_identity_as_username !== false) {
    const template = parseNameTemplate(listener.use_identity_as_username);
    // What is no template was refused with the configuration.
    if (typeof template === 'object') chain.push(new CertificateAuthenticator(template));
    if (listener.psk_file !== undefined) chain.push(pskAuthenticator);
  }
  // Where no user has a password there is none to be wrong: who is anonymous anyway may say what it likes.
  if (authentication.allow_anonymous && passwords.size === 0) return new AuthenticatorChain([...chain, anybody]);
  chain.push(new PasswordAuthenticator(passwords));
  if (authentication.allow_anonymous) chain.push(anonymousAuthenticator);
  return new AuthenticatorChain(chain);
}
