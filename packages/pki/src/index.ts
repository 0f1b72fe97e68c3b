export {
  type Authority,
  type AuthorityOptions,
  createAuthority,
  isEncrypted,
  isKeyOf,
  loadAuthority,
  parsePrivateKey,
} from './authority.js';
export { FILES } from './authority-files.js';
export { AuthorityStore, type DeviceTerms, type RevocationTarget } from './authority-store.js';
export { type AlternativeName, type CertificateDescription, describeCertificate, needsRenewal } from './certificate.js';
export { type AlternativeNames, type CertificateContent, readCertificate } from './certificate-content.js';
export { type CertificateRequest, readCertificateRequest } from './certificate-request.js';
export { DerError } from './der.js';
export {
  type ConnectionFile,
  type DeviceBundle,
  prepareBundleDirectory,
  readBundleKey,
  replaceBundleCertificate,
  replaceBundleIdentity,
  writeBundleCHeader,
  writeBundlePkcs12,
  writeDeviceBundle,
} from './device-bundle.js';
export { DeviceDesk, type GrantedCertificate } from './device-desk.js';
export { assertDeviceName } from './device-name.js';
export { attributeTypes, type DistinguishedName, nameText, valuesOf } from './distinguished-name.js';
export { PkiError, type PkiErrorCode, pkiErrors } from './errors.js';
export { giveToOwnerOf, syncDirectory, writeFileAtomic } from './files.js';
export { type ForeignAuthority, foreignAuthority } from './foreign-chain.js';
export type { Invite } from './invite-records.js';
export { Invites, type InviteTerms, type ListedInvite, newInviteId, problemOf } from './invites.js';
export {
  type DeviceCertificateOptions,
  type IssuedCertificate,
  issueDeviceCertificate,
  issueServerCertificate,
  type ServerCertificateOptions,
} from './issue.js';
export { IssueLog, type ListedCertificate } from './issue-log.js';
export { type OcspAnswer, type OcspExpectation, readOcspAnswer } from './ocsp-answer.js';
export { writeOcspRequest } from './ocsp-question.js';
export { OcspResponder } from './ocsp-responder.js';
export { type OcspSource, ocspSource } from './ocsp-source.js';
export { type InitOptions, initAuthority, openAuthority } from './open-authority.js';
export { pemBlocks } from './pem.js';
export type { CertificateKind, IssueRecord } from './records.js';
export {
  REVOCATION_REASONS,
  type RevocationListOptions,
  type RevocationReason,
  type RevokedCertificate,
  signRevocationList,
} from './revocation-list.js';
export { RevocationListContent } from './revocation-list-content.js';
export { writeCertificateRequest } from './write-request.js';
export { generatePrivateKey, KEY_ALGORITHMS, type KeyAlgorithm } from './x509.js';
