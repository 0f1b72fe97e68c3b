import { isIP } from 'node:net';
import { z } from 'zod';
import { parseRange } from '../guard/address.js';
import { everyAddress } from './bind.js';
import { limitFields } from './limit-fields.js';
import { clientLimits, sourceLimits } from './profiles.js';
import { tls } from './tls-schema.js';

const bind = z
  .string()
  .refine((address) => address === everyAddress || address === 'localhost' || isIP(address) !== 0, {
    error: `must be an IP address, localhost, or ${everyAddress} for every address`,
  });

const port = z.int().min(0).max(65_535);

function common(defaultBind: string, defaultPort: number) {
  return {
    bind: bind.default(defaultBind).describe('address to listen on; * is every address, IPv4 and IPv6'),
    port: port.default(defaultPort).describe('TCP port; 0 lets the system choose one'),
    max_connections: z.int().min(1).default(100_000).describe('connections of this listener at once'),
    connect_rate: z
      .int()
      .min(1)
      .exactOptional()
      .describe('new connections of this listener a second. Default: connect_rate of limits'),
    limits: z
      .strictObject(limitFields([...clientLimits, ...sourceLimits]))
      .prefault({})
      .describe('limits that clients of this listener have otherwise'),
    proxy_protocol: z
      .enum(['off', 'v1', 'v2', 'any'])
      .default('off')
      .describe('header that a proxy in front sends with the real address of the client; the version that is taken'),
    trusted_proxies: z
      .array(
        z.string().refine((text) => parseRange(text) !== undefined, {
          error: 'must be an IP address or a range such as 10.0.0.0/8',
        }),
      )
      .default([])
      .describe('addresses of those proxies; with proxy_protocol nobody else may connect'),
    set_tcp_nodelay: z.boolean().default(true).describe('send small packets at once instead of gathering them'),
  };
}

const plain = {
  expose_plaintext: z
    .boolean()
    .default(false)
    .describe('the word without which a listener that does not encrypt binds to a loopback address only'),
};

const webSocket = {
  path: z
    .string()
    .startsWith('/', { error: 'must begin with /' })
    .default('/mqtt')
    .describe('path of the upgrade request'),
  allowed_origins: z
    .array(z.string().min(1))
    .default([])
    .describe('origins of web pages that may connect, such as https://example.com; empty: every origin'),
};

/** Listeners by protocol; a key that another protocol has is refused with a word on where it goes. */
export const listenerSchema = z.discriminatedUnion('protocol', [
  z.strictObject({ protocol: z.literal('mqtt'), ...common('127.0.0.1', 1883), ...plain }).describe('MQTT over TCP'),
  z.strictObject({ protocol: z.literal('mqtts'), ...common(everyAddress, 8883), ...tls('mqtt') }).describe('over TLS'),
  z
    .strictObject({ protocol: z.literal('ws'), ...common('127.0.0.1', 8083), ...plain, ...webSocket })
    .describe('MQTT over WebSocket'),
  z
    .strictObject({ protocol: z.literal('wss'), ...common(everyAddress, 8884), ...tls('http/1.1'), ...webSocket })
    .describe('MQTT over WebSocket over TLS'),
]);

export type Listener = z.output<typeof listenerSchema>;

/** A listener as it may be written: only the protocol is required. */
export type ListenerInput = z.input<typeof listenerSchema>;

/** A listener that encrypts: `mqtts` or `wss`. */
export type TlsListener = Extract<Listener, { protocol: 'mqtts' | 'wss' }>;

export function isTls(listener: Listener): listener is TlsListener {
  return listener.protocol === 'mqtts' || listener.protocol === 'wss';
}

/** The keys of such a listener that name files, or directories of them. */
export const tlsFiles = [
  'certfile',
  'keyfile',
  'cafile',
  'capath',
  'crlfile',
  'crlpath',
  'ocsp_stapling_file',
  'psk_file',
] as const;

/** Those of each of its `more_certificates`. */
export const certificateFiles = ['certfile', 'keyfile', 'ocsp_stapling_file'] as const;

/** The files and directories that the listeners of a configuration name. */
export function tlsFilesOf(listeners: readonly Listener[]): string[] {
  return listeners.filter(isTls).flatMap((listener) => {
    const more = listener.more_certificates.flatMap((each) => certificateFiles.flatMap((key) => each[key] ?? []));
    return [...tlsFiles.flatMap((key) => listener[key] ?? []), ...more];
  });
}
