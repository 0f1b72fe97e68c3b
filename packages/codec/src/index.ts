export type { MemoryOwner } from './backlog.js';
export { writeAcknowledgement } from './encode/acknowledgement.js';
export { encodePublish, packetIdOffset, writePacketIds } from './encode/publish.js';
export { encode } from './encode.js';
export { CodecError } from './error.js';
export { type Chunk, IncomingPublish } from './incoming-publish.js';
export type * from './packet.js';
export { PacketType, ProtocolVersion, type QoS } from './packet-type.js';
export { type PacketReceiver, Parser, type ParserOptions } from './parser.js';
export type * from './properties.js';
export { ConnectReturnCode, ReasonCode } from './reason-code.js';
export {
  isSharedFilter,
  isValidTopicFilter,
  isValidTopicName,
  parseSharedFilter,
  type SharedFilter,
} from './topic.js';
export {
  MAXIMUM_VARIABLE_BYTE_INTEGER,
  variableByteIntegerLength,
  writeVariableByteInteger,
} from './variable-byte-integer.js';
