import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { certificateFields, parseNameTemplate } from '../identity/certificate-name.js';

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

const certfile = z.string().min(1).describe('server certificate with its chain, PEM');
const keyfile = z.string().min(1).describe('private key of the certificate, PEM');

const keyfile_passphrase = z.string().min(1).optional().meta({
  writeOnly: true,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what a person writes
  description: 'of an encrypted key: ${ENV_NAME}, file:PATH, or the passphrase itself',
});
const ocsp_stapling_file = z
  .string()
  .min(1)
  .optional()
  .describe('an answer about this certificate, in DER, that another program fetches: given in place of a fetched one');

/** Where the listener's own certificates are, and what it speaks. */
function server(alpn: string) {
  return {
    certfile: certfile.default('pki/server.crt'),
    keyfile: keyfile.default('pki/server.key'),
    keyfile_passphrase,
    more_certificates: z
      .array(z.strictObject({ certfile, keyfile, keyfile_passphrase, ocsp_stapling_file }))
      .default([])
      .describe('certificates for other names of this server: the client that asks for such a name (SNI) is shown it'),
    ocsp_stapling: z
      .boolean()
      .default(false)
      .describe(
        'fetch the answers of the authorities about these certificates, and give them to clients that ask in the handshake',
      ),
    ocsp_stapling_file,
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

/** How a name is taken from a certificate. */
const identity = z
  .union([z.literal([false, true, ...certificateFields]), z.string().superRefine(checkTemplate)])
  .default(false)
  .transform((field) => (field === true ? 'cn' : field));

/** Which client certificates count, and what is read from them. */
const client = {
  cafile: z.string().min(1).default('pki/ca.crt').describe('authorities whose client certificates count, PEM'),
  capath: z.string().min(1).optional().describe('directory with more of them: every file in it that is not hidden'),
  verify_depth: z
    .int()
    .min(0)
    .max(10)
    .default(3)
    .describe(
      'intermediate authorities that there may be between a client certificate and one in cafile that signs itself',
    ),
  crlfile: z.string().min(1).optional().describe('revocation lists, PEM or DER: one of each authority'),
  crlpath: z.string().min(1).optional().describe('directory with more of them: every file in it that is not hidden'),
  crl_expired: z
    .enum(['refuse', 'warn'])
    .default('refuse')
    .describe('what becomes of client certificates whose authority has no newer revocation list than one that ran out'),
  ocsp: z
    .enum(['off', 'soft', 'hard'])
    .default('off')
    .describe('ask the authority of each client certificate whether it still counts; soft: without an answer it does'),
  ocsp_responder: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('whom to ask, in place of the responder that a certificate names'),
  ocsp_hosts: z
    .array(z.string().min(1))
    .default([])
    .describe('hosts that certificates may name as responders; empty: every host'),
  ocsp_timeout: z.int().min(1).max(60).default(5).describe('seconds that an answer may take'),
  psk_file: z.string().min(1).optional().describe('identities and pre-shared keys, identity:hexadecimal a line'),
  request_certificate: z
    .boolean()
    .default(true)
    .describe('ask clients for a certificate; false, where none has any: a handshake takes less then'),
  require_certificate: z.boolean().default(false).describe('refuse clients that show no certificate'),
  use_identity_as_username: identity.describe(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a person writes
    'take the user name from this field of the client certificate, or from several: ${cert.cn}.${cert.issuer_cn}',
  ),
  use_identity_as_clientid: identity.describe('the same for the client ID: it takes the place of what the client sent'),
  authenticate: z
    .enum(['any', 'all'])
    .default('any')
    .describe(
      'any: a certificate or a password proves the user name; all: a certificate, and the password of the user it names',
    ),
};

/** The keys of a listener that encrypts. */
export function tls(alpn: string) {
  return { ...server(alpn), ...client };
}

function checkTemplate(written: string, context: z.RefinementCtx): void {
  const template = parseNameTemplate(written);
  if (typeof template === 'string') context.addIssue({ code: 'custom', message: template });
}

function areCiphers(list: string): boolean {
  try {
    createSecureContext({ ciphers: list });
    return true;
  } catch {
    return false;
  }
}
