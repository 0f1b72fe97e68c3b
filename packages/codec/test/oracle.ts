import type { Packet, Properties, ProtocolVersion, Will } from '@moat/codec';
import { PacketType } from '@moat/codec';
import * as mqttPacket from 'mqtt-packet';

/** A packet in words that both codecs have, to compare what they made of the same bytes. */
export interface Essence {
  cmd?: string;
  code?: unknown;
  reasonCode?: unknown;
  returnCode?: unknown;
  properties?: unknown;
  will?: unknown;
  payloadFormatIndicator?: unknown;
  subscriptionIdentifier?: unknown;
  userProperties?: unknown;
  [name: string]: unknown;
}

const commands: Record<PacketType, string> = {
  1: 'connect',
  2: 'connack',
  3: 'publish',
  4: 'puback',
  5: 'pubrec',
  6: 'pubrel',
  7: 'pubcomp',
  8: 'subscribe',
  9: 'suback',
  10: 'unsubscribe',
  11: 'unsuback',
  12: 'pingreq',
  13: 'pingresp',
  14: 'disconnect',
  15: 'auth',
};

/** What mqtt-packet makes of the bytes of one packet; undefined when it refuses them or waits for more. */
export function readByOracle(bytes: Uint8Array, version: ProtocolVersion): Essence | undefined {
  const parser = mqttPacket.parser({ protocolVersion: version });
  let essence: Essence | undefined;
  let failed = false;
  parser.on('packet', (packet: mqttPacket.Packet) => {
    essence = essenceOfOracle(packet as unknown as Essence, version);
  });
  parser.on('error', () => {
    failed = true;
  });
  try {
    parser.parse(Buffer.from(bytes));
  } catch {
    return undefined;
  }
  return failed ? undefined : essence;
}

function essenceOfOracle(packet: Essence, version: ProtocolVersion): Essence {
  const { cmd = '', properties, will } = packet;
  const essence: Essence = { cmd };
  const kept: Record<string, string[]> = {
    connect: ['clientId', 'clean', 'keepalive', 'username', 'password', 'protocolVersion'],
    connack: ['sessionPresent'],
    publish: ['topic', 'payload', 'qos', 'retain', 'dup', 'messageId'],
    subscribe: ['messageId', 'subscriptions'],
    suback: ['messageId', 'granted'],
    unsubscribe: ['messageId', 'unsubscriptions'],
    unsuback: version === 5 ? ['messageId', 'granted'] : ['messageId'],
  };
  const acknowledgement = ['puback', 'pubrec', 'pubrel', 'pubcomp'].includes(cmd);
  for (const name of kept[cmd] ?? (acknowledgement ? ['messageId'] : [])) {
    if (packet[name] !== undefined) essence[name] = plain(packet[name]);
  }
  const code = packet.reasonCode ?? packet.returnCode;
  if (code !== undefined) essence.code = code;
  else if (acknowledgement || cmd === 'disconnect') essence.code = 0;
  if (properties !== undefined) essence.properties = plain(properties);
  if (will !== undefined) essence.will = plain(will);
  return essence;
}

/** The same for a packet of this codec. */
export function essenceOf(packet: Packet, version: ProtocolVersion): Essence {
  const essence: Essence = { cmd: commands[packet.type], ...fieldsOf(packet, version) };
  if ('properties' in packet && packet.properties !== undefined) essence.properties = propertiesOf(packet.properties);
  return plain(essence) as Essence;
}

function fieldsOf(packet: Packet, version: ProtocolVersion): Essence {
  switch (packet.type) {
    case PacketType.CONNECT: {
      const { clientId, cleanStart: clean, keepAlive: keepalive, username, password, will } = packet;
      return { clientId, clean, keepalive, username, password, protocolVersion: version, will: will && willOf(will) };
    }
    case PacketType.CONNACK:
      return { sessionPresent: packet.sessionPresent, code: packet.reasonCode };
    case PacketType.PUBLISH: {
      const { topic, payload, qos, retain, dup, packetId } = packet;
      return { topic, payload, qos, retain, dup, messageId: qos === 0 ? undefined : packetId };
    }
    case PacketType.SUBSCRIBE: {
      const subscriptions = packet.subscriptions.map(({ filter: topic, qos, noLocal: nl, ...rest }) =>
        version === 5 ? { topic, qos, nl, rap: rest.retainAsPublished, rh: rest.retainHandling } : { topic, qos },
      );
      return { messageId: packet.packetId, subscriptions };
    }
    case PacketType.UNSUBSCRIBE:
      return { messageId: packet.packetId, unsubscriptions: packet.filters };
    case PacketType.SUBACK:
      return { messageId: packet.packetId, granted: packet.reasonCodes };
    case PacketType.UNSUBACK:
      return { messageId: packet.packetId, granted: version === 5 ? packet.reasonCodes : undefined };
    case PacketType.PINGREQ:
    case PacketType.PINGRESP:
      return {};
    case PacketType.DISCONNECT:
    case PacketType.AUTH:
      return { code: packet.reasonCode };
    default:
      return { messageId: packet.packetId, code: packet.reasonCode };
  }
}

function willOf({ topic, payload, qos, retain, properties }: Will): Essence {
  return { topic, payload, qos, retain, properties: properties && propertiesOf(properties) };
}

/** mqtt-packet keeps user properties by name, without their order, a single subscription identifier bare, and a bit as a boolean. */
function propertiesOf({ userProperties, subscriptionIdentifiers, ...rest }: Properties): Essence {
  const essence: Essence = { ...rest };
  if (rest.payloadFormatIndicator !== undefined) essence.payloadFormatIndicator = rest.payloadFormatIndicator === 1;
  if (subscriptionIdentifiers !== undefined) {
    essence.subscriptionIdentifier =
      subscriptionIdentifiers.length === 1 ? subscriptionIdentifiers[0] : subscriptionIdentifiers;
  }
  if (userProperties !== undefined) {
    const byName = new Map<string, string[]>();
    for (const [name, value] of userProperties) {
      const values = byName.get(name) ?? [];
      // A first value that is empty is forgotten there when the name comes again.
      byName.set(name, values.length === 1 && values[0] === '' ? [value] : [...values, value]);
    }
    const entries = [...byName].map(([name, values]) => [name, values.length === 1 ? values[0] : values]);
    essence.userProperties = Object.fromEntries(entries);
  }
  return essence;
}

/** Bytes as hex, no undefined fields, no null prototypes. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries.map(([name, field]) => [name, plain(field)]));
}
