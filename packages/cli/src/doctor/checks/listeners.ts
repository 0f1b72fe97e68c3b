import { type Configuration, isLoopback, parseRange } from '@moat/broker';
import type { Check, Problem } from '../check.js';

type Listener = Configuration['listeners'][number];

/** A range of IPv4 or IPv6 with fewer bits holds strangers. */
const least = { ipv4: 8, ipv6: 32 };

/** What is open to whom. */
export const listenerChecks: readonly Check[] = [
  {
    code: 'listeners.plaintext',
    severity: 'critical',
    expects: 'listeners that others reach encrypt',
    why: 'whoever is on the way reads passwords and messages, and changes them',
    look: each(
      (listener) => !('certfile' in listener) && !isLoopback(listener.bind),
      (name, { protocol }) => ({
        what: `${name} is open to others and does not encrypt`,
        mend: `write protocol: ${protocol === 'ws' ? 'wss' : 'mqtts'}, or bind: 127.0.0.1`,
      }),
    ),
  },
  {
    code: 'listeners.old_tls',
    severity: 'low',
    expects: 'TLS 1.3 is the least that is accepted',
    why: 'TLS 1.2 shows client certificates to whoever is on the way, and leaves more to choose wrongly',
    look: each(
      (listener) => 'certfile' in listener && listener.tls_version === 'tlsv1.2',
      (name) => ({
        what: `${name} accepts TLS 1.2`,
        mend: 'write tls_version: tlsv1.3, or leave it out, once every device has it',
      }),
    ),
  },
  {
    code: 'listeners.no_forward_secrecy',
    severity: 'high',
    expects: 'every cipher suite is forward secret',
    why: 'whoever records connections today and gets the key later reads them all',
    look: each(
      (listener) => 'ciphers' in listener && listener.ciphers.split(':').some(isNotForwardSecret),
      (name) => ({ what: `${name} has ciphers without forward secrecy`, mend: 'leave ciphers out' }),
    ),
  },
  {
    code: 'listeners.no_revocation',
    severity: 'medium',
    expects: 'where client certificates say who somebody is, it is known which were revoked',
    why: 'a stolen device stays welcome until its certificate ends',
    look: each(
      (listener) =>
        'certfile' in listener &&
        listener.request_certificate &&
        (listener.require_certificate || listener.use_identity_as_username !== false) &&
        listener.crlfile === undefined &&
        listener.crlpath === undefined &&
        listener.ocsp === 'off',
      (name) => ({
        what: `${name} takes client certificates and knows no revocation list`,
        mend: 'write crlfile: pki/ca.crl, which moat device revoke keeps, or ocsp: hard',
      }),
    ),
  },
  {
    code: 'listeners.proxies_unbounded',
    severity: 'high',
    expects: 'trusted_proxies names proxies, and not networks of strangers',
    why: 'who may send a PROXY header chooses the address that bans, lock-outs and rules see',
    look: each(
      ({ proxy_protocol, trusted_proxies }) => proxy_protocol !== 'off' && trusted_proxies.some(isVeryWide),
      (name, { trusted_proxies }) => ({
        what: `${name} trusts ${trusted_proxies.filter(isVeryWide).join(', ')}`,
        mend: 'list the addresses of your proxies alone',
      }),
    ),
  },
  {
    code: 'listeners.any_origin',
    severity: 'low',
    expects: 'WebSocket listeners that others reach name the origins of their web pages',
    why: 'any web page may connect from the browser of somebody who is in your network',
    look: each(
      (listener) =>
        'allowed_origins' in listener && listener.allowed_origins.length === 0 && !isLoopback(listener.bind),
      (name) => ({
        what: `${name} takes pages of every origin`,
        mend: 'write allowed_origins: [https://your.example]',
      }),
    ),
  },
  {
    code: 'admin.http_open',
    severity: 'low',
    expects: 'the admin HTTP interface is off',
    why: 'every program and every user of this machine reads the status, without a password',
    look: ({ configuration: { admin } }) =>
      admin.http === 'off'
        ? []
        : [
            {
              what: `admin HTTP is open on ${admin.http.host}:${admin.http.port}`,
              mend: 'write admin: { http: off }; moat status asks through the socket in the data directory',
            },
          ],
  },
];

/** Addresses or ranges that hold more than anybody's own network. */
export function isVeryWide(text: string): boolean {
  const range = parseRange(text);
  return range !== undefined && range.prefix < (range.network.includes(':') ? least.ipv6 : least.ipv4);
}

/** A check of every listener by itself. */
function each(
  isWeak: (listener: Listener) => boolean,
  tell: (name: string, listener: Listener) => Problem,
): Check['look'] {
  return ({ configuration: { listeners } }) =>
    listeners
      .filter(isWeak)
      .map((listener) => tell(`${listener.protocol} on ${listener.bind}:${listener.port}`, listener));
}

/** By the name of a suite; what only changes the list (`!aNULL`, `@STRENGTH`) is none. */
function isNotForwardSecret(suite: string): boolean {
  return /^[A-Z0-9]/i.test(suite) && !/^(?:TLS_|ECDHE-|DHE-)/.test(suite);
}
