import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { everyAddress } from './bind.js';

/** TLS 1.3, and for TLS 1.2 only what is forward secret and authenticated; AES-128 first, the cheapest of equals. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

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
    set_tcp_nodelay: z.boolean().default(true).describe('send small packets at once instead of gathering them'),
  };
}

const plain = {
  expose_plaintext: z
    .boolean()
    .default(false)
    .describe('the word without which a listener that does not encrypt binds to a loopback address only'),
};

function tls(alpn: string) {
  return {
    certfile: z.string().min(1).default('pki/server.crt').describe('server certificate with its chain, PEM'),
    keyfile: z.string().min(1).default('pki/server.key').describe('private key of the certificate, PEM'),
    keyfile_passphrase: z.string().min(1).optional().meta({
      writeOnly: true,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what a person writes
      description: 'of an encrypted key: ${ENV_NAME}, file:PATH, or the passphrase itself',
    }),
    cafile: z.string().min(1).default('pki/ca.crt').describe('authorities whose client certificates count, PEM'),
    crlfile: z.string().min(1).optional().describe('revoked client certificates, PEM'),
    require_certificate: z.boolean().default(false).describe('refuse clients that show no certificate'),
    use_identity_as_username: z
      .literal([false, true, 'cn'])
      .default(false)
      .transform((field) => (field === true ? 'cn' : field))
      .describe('take the user name from the client certificate; true means cn, the common name'),
    tls_version: z.enum(['tlsv1.2', 'tlsv1.3']).default('tlsv1.3').describe('the least version accepted'),
    ciphers: z
      .string()
      .refine(areCiphers, { error: 'names no cipher that OpenSSL knows' })
      .default(ciphers)
      .describe('cipher suites in OpenSSL notation, best first'),
    alpn: z
      .array(z.string().min(1).max(255))
      .default([alpn])
      .describe('application protocols offered in the handshake'),
  };
}

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

function areCiphers(list: string): boolean {
  try {
    createSecureContext({ ciphers: list });
    return true;
  } catch {
    return false;
  }
}

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
