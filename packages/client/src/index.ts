export { type Backoff, defaultBackoff, delayBefore } from './backoff.js';
export { Client, type ClientEvents, connect } from './client.js';
export { randomClientId } from './client-id.js';
export { loadConnection } from './connection-file.js';
export {
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
  defaultPorts,
  type Protocol,
  type ProtocolVersion,
  type PublishOptions,
  type Will,
} from './options.js';
export { type SubscribeOptions, Subscription } from './subscription.js';
export { topicMatches } from './topic.js';
