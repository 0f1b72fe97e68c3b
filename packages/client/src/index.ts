export { type Backoff, defaultBackoff, delayBefore } from './backoff.js';
export type { IssuedCertificate } from './certificate-exchange.js';
export { Client, type ClientEvents, connect } from './client.js';
export { randomClientId } from './client-id.js';
export { loadConnection, renewInto } from './connection-file.js';
export { enrol, type Invitation, loadInvitation } from './enrol.js';
export {
  CertificateError,
  type ClientError,
  ClosedError,
  DeniedError,
  InvalidError,
  isClientError,
  RefusedError,
  TlsError,
  UnprovenError,
  UnreachableError,
} from './errors.js';
export type { Message, PublishProperties, QoS, UserProperties } from './message.js';
export {
  type AuthMethod,
  authMethods,
  type ConnectOptions,
  type ConnectProperties,
  checkOptions,
  defaultPorts,
  type Protocol,
  type ProtocolVersion,
  type PublishOptions,
  type Will,
} from './options.js';
export type { Identity, RenewalOptions } from './renewal.js';
export { type SubscribeOptions, Subscription } from './subscription.js';
export { topicMatches } from './topic.js';
