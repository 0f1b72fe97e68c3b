import type { Configuration } from '../config/schema.js';
import type { NameFound } from '../identity/certificate-name.js';
import { assignClientId } from '../identity/client-id.js';
import type { Principal } from '../identity/principal.js';
import { matchesText } from '../policy/text-pattern.js';

/** The client ID that a client gets, or why it gets none. */
export type SettledClientId = { readonly clientId: string } | { readonly refused: string };

/** Which client IDs there may be, as the configuration has it. They are compared byte for byte: A is another than a. */
export class ClientIdRules {
  constructor(private readonly configuration: Configuration['authentication']) {}

  /** @param identity the name in the certificate, where that takes the place of the client ID */
  settle(wanted: string, principal: Principal, identity: NameFound | undefined): SettledClientId {
    const { use_username_as_clientid, clientid_prefixes, clientid_patterns } = this.configuration;
    const { username } = principal;
    // Its own, so that it is in nobody's way.
    if (principal.invite !== undefined) return { clientId: assignClientId(username) };
    if (identity !== undefined && 'problem' in identity)
      return { refused: 'a certificate without the client identifier' };
    const clientId = identity?.name ?? (use_username_as_clientid && username !== undefined ? username : wanted);
    if (clientId === '') return { clientId: assignClientId(username) };
    if (hasHiddenCharacter(clientId)) return { refused: 'a client identifier with a character that cannot be printed' };
    if (clientid_prefixes.length > 0 && !clientid_prefixes.some((prefix) => clientId.startsWith(prefix)))
      return { refused: 'a client identifier without an allowed prefix' };
    if (clientid_patterns.length > 0 && !clientid_patterns.some((pattern) => matches(pattern, clientId, username)))
      return { refused: 'a client identifier of a form that is not allowed' };
    return { clientId };
  }

  /** Whether the operator lets one principal have the sessions of another. */
  mayTakeOver(from: string | undefined, to: string | undefined): boolean {
    if (from === undefined || to === undefined) return false;
    return this.configuration.session_takeover.some((permitted) => permitted.from === from && permitted.to === to);
  }
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: what a person writes
const variable = '${username}';

/** A `*` in a user name stands for itself; without a name nothing matches a pattern that asks for one. */
function matches(pattern: string, clientId: string, username: string | undefined): boolean {
  if (username === undefined && pattern.includes(variable)) return false;
  const [before = '', after] = pattern.split('*').map((part) => part.replaceAll(variable, () => username ?? ''));
  return matchesText({ before, after }, clientId);
}

/** Control characters, line separators, and what changes how a text looks without being seen; U+FEFF stays. // [MQTT-1.5.4-3] */
function hasHiddenCharacter(clientId: string): boolean {
  return /(?!\ufeff)[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u.test(clientId);
}
