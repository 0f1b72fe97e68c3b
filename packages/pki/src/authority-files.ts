/** The files of an authority, by their names in its directory. */
export const FILES = {
  caCertificate: 'ca.crt',
  caKey: 'ca.key',
  revocationList: 'ca.crl',
  serverCertificate: 'server.crt',
  serverKey: 'server.key',
  issued: 'issued.jsonl',
  revoked: 'revoked.jsonl',
} as const;
