import { isTls, type Listener } from '../config/listener-schema.js';
import { AddressList } from '../guard/address.js';
import type { ListenerOptions } from '../transport/listener.js';
import type { ProxyOptions } from '../transport/proxied.js';
import type { GeneralLimits } from './terms.js';

/** What tells one listener from another: the same key is the same listening socket. */
export function listenerKey({ protocol, bind, port }: Listener): string {
  return `${protocol}://${bind}:${port}`;
}

/** A listener of the configuration, as the transport wants it. */
export function listenerOptions(listener: Listener, limits: GeneralLimits): ListenerOptions {
  const { protocol, bind, port, set_tcp_nodelay } = listener;
  const deadline = limits.handshake_timeout * 1000;
  const webSocket =
    'path' in listener
      ? {
          path: listener.path,
          allowed_origins: listener.allowed_origins,
          // A message may bring the end of one packet and the whole of the next.
          maximumMessage: Math.min(2 * largestPacket(listener, limits), 2 ** 30),
          deadline,
        }
      : undefined;
  const tls = isTls(listener) ? listener : undefined;
  const proxy = proxyOptions(listener, limits);
  return { protocol, bind, port, set_tcp_nodelay, tls, webSocket, proxy, handshakeDeadline: deadline };
}

/** What any client of a listener may send. */
function largestPacket(listener: Listener, { max_packet_size, roles }: GeneralLimits): number {
  const own = listener.limits.max_packet_size ?? max_packet_size;
  return Math.max(own, ...Object.values(roles).map((role) => role.max_packet_size ?? 0));
}

function proxyOptions({ proxy_protocol, trusted_proxies }: Listener, limits: GeneralLimits): ProxyOptions | undefined {
  if (proxy_protocol === 'off') return undefined;
  const trusted = new AddressList(trusted_proxies);
  return {
    versions: proxy_protocol === 'any' ? ['v1', 'v2'] : [proxy_protocol],
    deadline: limits.proxy_header_timeout * 1000,
    trusts: (address) => trusted.has(address),
  };
}

/** Everything of a listener that only another listening socket can change; the rest is changed while it is open. */
export function shapeOf(listener: Listener, limits: GeneralLimits): string {
  const { tls, ...shape } = listenerOptions(listener, limits);
  const { trusted_proxies } = listener;
  const ofTls = tls && {
    alpn: tls.alpn,
    asks: tls.request_certificate,
    psk: tls.psk_file !== undefined,
    byName: tls.more_certificates.length > 0,
  };
  return JSON.stringify({ ...shape, trusted_proxies, ...ofTls });
}
