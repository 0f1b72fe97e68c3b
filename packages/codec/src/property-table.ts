import { PacketType } from './packet-type.js';
import type { Properties } from './properties.js';

/** The places that hold properties, as bits: one for each packet type, and bit 0 for the will. */
export const WILL_PROPERTIES = 0;
export type Carrier = PacketType | typeof WILL_PROPERTIES;

type PropertyKind =
  | 'bit'
  | 'boolean'
  | 'twoBytes'
  | 'fourBytes'
  | 'string'
  | 'topic'
  | 'binary'
  | 'identifiers'
  | 'pairs';

/** One row of the table in MQTT 5.0 §2.2.2.2. */
export interface PropertyDefinition {
  readonly id: number;
  readonly name: keyof Properties;
  readonly kind: PropertyKind;
  /** Bit n is set when carrier n may hold it. */
  readonly carriers: number;
  /** The least value, where 0 is not one. */
  readonly minimum: number;
}

const { CONNECT, CONNACK, PUBLISH, SUBSCRIBE, DISCONNECT, AUTH } = PacketType;
const { PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBSCRIBE, UNSUBACK } = PacketType;
const WILL = WILL_PROPERTIES;
const EXPLAINED: readonly Carrier[] = [CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH];
const EVERYWHERE: readonly Carrier[] = [...EXPLAINED, CONNECT, WILL, PUBLISH, SUBSCRIBE, UNSUBSCRIBE];

const definitions: readonly PropertyDefinition[] = [
  define(0x01, 'payloadFormatIndicator', 'bit', [PUBLISH, WILL]),
  define(0x02, 'messageExpiryInterval', 'fourBytes', [PUBLISH, WILL]),
  define(0x03, 'contentType', 'string', [PUBLISH, WILL]),
  define(0x08, 'responseTopic', 'topic', [PUBLISH, WILL]),
  define(0x09, 'correlationData', 'binary', [PUBLISH, WILL]),
  define(0x0b, 'subscriptionIdentifiers', 'identifiers', [PUBLISH, SUBSCRIBE], 1),
  define(0x11, 'sessionExpiryInterval', 'fourBytes', [CONNECT, CONNACK, DISCONNECT]),
  define(0x12, 'assignedClientIdentifier', 'string', [CONNACK]),
  define(0x13, 'serverKeepAlive', 'twoBytes', [CONNACK]),
  define(0x15, 'authenticationMethod', 'string', [CONNECT, CONNACK, AUTH]),
  define(0x16, 'authenticationData', 'binary', [CONNECT, CONNACK, AUTH]),
  define(0x17, 'requestProblemInformation', 'boolean', [CONNECT]),
  define(0x18, 'willDelayInterval', 'fourBytes', [WILL]),
  define(0x19, 'requestResponseInformation', 'boolean', [CONNECT]),
  define(0x1a, 'responseInformation', 'string', [CONNACK]),
  define(0x1c, 'serverReference', 'string', [CONNACK, DISCONNECT]),
  define(0x1f, 'reasonString', 'string', EXPLAINED),
  define(0x21, 'receiveMaximum', 'twoBytes', [CONNECT, CONNACK], 1),
  define(0x22, 'topicAliasMaximum', 'twoBytes', [CONNECT, CONNACK]),
  define(0x23, 'topicAlias', 'twoBytes', [PUBLISH], 1),
  define(0x24, 'maximumQoS', 'bit', [CONNACK]),
  define(0x25, 'retainAvailable', 'boolean', [CONNACK]),
  define(0x26, 'userProperties', 'pairs', EVERYWHERE),
  define(0x27, 'maximumPacketSize', 'fourBytes', [CONNECT, CONNACK], 1),
  define(0x28, 'wildcardSubscriptionAvailable', 'boolean', [CONNACK]),
  define(0x29, 'subscriptionIdentifiersAvailable', 'boolean', [CONNACK]),
  define(0x2a, 'sharedSubscriptionAvailable', 'boolean', [CONNACK]),
];

function define(
  id: number,
  name: keyof Properties,
  kind: PropertyKind,
  carriers: readonly Carrier[],
  minimum = 0,
): PropertyDefinition {
  return { id, name, kind, carriers: carriers.reduce<number>((bits, carrier) => bits | (1 << carrier), 0), minimum };
}

/** Row by identifier; a hole where the standard defines none. */
export const propertyById: readonly (PropertyDefinition | undefined)[] = Array.from({ length: 0x2b }, (_, id) =>
  definitions.find((definition) => definition.id === id),
);

/** Row by name. */
export const propertyByName: ReadonlyMap<string, PropertyDefinition> = new Map(
  definitions.map((definition) => [definition.name, definition]),
);
