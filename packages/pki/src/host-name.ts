import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { PkiError } from './errors.js';

/** A name or an address that a server is reached by, as it stands in a subject alternative name. */
export interface Host {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const DNS_NAME = new RegExp(`^(?:\\*\\.)?(?:${LABEL}\\.)*${LABEL}$`);
/** `1.2.3` is an address that lacks a part; a name of digits alone may well be a machine's. */
const NUMERIC_END = /\.\d+$/;
const LONGEST_DNS_NAME = 253;

/**
 * Sorts a host into an IP address or a DNS name. International names become A-labels (RFC 5280 §7.2); a wildcard
 * may stand for the whole first label only (RFC 6125 §6.4.3).
 *
 * @throws PkiError `pki.invalid_host`
 */
export function parseHost(text: string): Host {
  // A zone ("fe80::1%eth0") means something on one machine only and has no place in a certificate.
  if (isIP(text) !== 0 && !text.includes('%')) return { type: 'ip', value: text };
  const value = text.startsWith('*.') ? `*.${toAscii(text.slice(2))}` : toAscii(text);
  if (value.length <= LONGEST_DNS_NAME && DNS_NAME.test(value) && !NUMERIC_END.test(value))
    return { type: 'dns', value };
  throw new PkiError('pki.invalid_host', `${JSON.stringify(text)} is neither a host name nor an IP address`, {
    hint: 'write it without scheme, port or brackets, such as broker.example.com, 192.0.2.1 or 2001:db8::1',
  });
}

const ASCII = /^\p{ASCII}*$/u;
const INTERNATIONAL = /^(?:[a-z0-9._-]|\P{ASCII})+$/iu;

/** Only names go to `domainToASCII`: it reads its input as part of a URL, and would take `bücher/x` for `bücher`. */
function toAscii(name: string): string {
  if (ASCII.test(name)) return name.toLowerCase();
  return INTERNATIONAL.test(name) ? domainToASCII(name) : '';
}
