/** The files of an authority, by their names in its directory. */
export const FILES = {
  caCertificate: 'ca.crt',
  caKey: 'ca.key',
  issuingCertificate: 'issuing.crt',
  issuingKey: 'issuing.key',
  rootRevocationList: 'root.crl',
  revocationList: 'ca.crl',
  serverCertificate: 'server.crt',
  serverKey: 'server.key',
  responderCertificate: 'ocsp.crt',
  responderKey: 'ocsp.key',
  issued: 'issued.jsonl',
  revoked: 'revoked.jsonl',
  invites: 'invites.jsonl',
} as const;
