import type { Mistakes } from '../yaml/read-yaml.js';
import { isLoopback } from './bind.js';
import { isTls, type TlsListener } from './listener-schema.js';
import type { Configuration } from './schema.js';

/** Finds what is well written but would leave the broker open, or could not work. */
export function checkSafety(configuration: Configuration, mistakes: Mistakes): void {
  const { authentication, listeners } = configuration;
  const seen = new Set<string>();
  for (const [index, listener] of listeners.entries()) {
    const { bind, port, protocol } = listener;
    // A free port is another one for each, but with the same protocol nothing would tell the two apart.
    const address = port === 0 ? `${protocol}://${bind}:0` : `${bind}:${port}`;
    if (seen.has(address)) {
      mistakes.add('config.invalid_value', ['listeners', index], `two listeners on ${address}`);
    }
    seen.add(address);
    if (listener.proxy_protocol !== 'off' && listener.trusted_proxies.length === 0) {
      const hint = 'list the addresses of your proxies under trusted_proxies';
      const message = 'proxy_protocol without trusted_proxies would let nobody in';
      mistakes.add('config.invalid_value', ['listeners', index, 'proxy_protocol'], message, hint);
    }
    if (isTls(listener) && listener.authenticate === 'all' && !listener.use_identity_as_username) {
      const hint =
        'write use_identity_as_username: cn; or for any certificate beside a password, require_certificate: true';
      const message = 'authenticate: all compares the user name with the certificate, which names none here';
      mistakes.add('config.invalid_value', ['listeners', index, 'authenticate'], message, hint);
    }
    if (isTls(listener) && !listener.request_certificate && needsCertificate(listener)) {
      const message = 'without request_certificate no client shows the certificate that this listener needs';
      const hint = 'leave request_certificate away, or what needs a certificate';
      mistakes.add('config.invalid_value', ['listeners', index, 'request_certificate'], message, hint);
    }
    if (!isTls(listener) && !isLoopback(bind) && !listener.expose_plaintext) {
      const message = `this ${protocol} listener would send passwords and messages unencrypted to ${bind}`;
      const safe = protocol === 'mqtt' ? 'mqtts' : 'wss';
      const hint = `use ${safe}, bind to 127.0.0.1, or write expose_plaintext: true beside it`;
      mistakes.add('config.unsafe', ['listeners', index, 'bind'], message, hint);
    }
  }
  const open = listeners.find(({ bind }) => !isLoopback(bind));
  if (authentication.allow_anonymous && !authentication.expose_anonymous && open) {
    const message = `allow_anonymous would let anybody in through the ${open.protocol} listener on ${open.bind}:${open.port}`;
    const hint = 'bind every listener to 127.0.0.1, or write expose_anonymous: true beside it';
    mistakes.add('config.unsafe', ['authentication', 'allow_anonymous'], message, hint);
  }
}

/** Whether certificates are all that lets clients in there, or says who they are. */
function needsCertificate(listener: TlsListener): boolean {
  const { require_certificate, use_identity_as_username, use_identity_as_clientid, psk_file } = listener;
  const takesNames = use_identity_as_username !== false || use_identity_as_clientid !== false;
  return require_certificate || (takesNames && psk_file === undefined);
}
