import { CodecError } from './error.js';
import { PacketType } from './packet-type.js';
import { ReasonCode } from './reason-code.js';

/** Who sent the packet. */
export type Sender = 'client' | 'server';

type Carrier = Exclude<PacketType, 1 | 3 | 8 | 10 | 12 | 13>;

const { CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH } = PacketType;

const published = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const released = [0x00, 0x92];
const disconnectOfBoth = [0x00, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
const disconnectOfServer = [0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2];

const fromServer: Record<Carrier, readonly number[]> = {
  // [MQTT-3.2.2-8]
  [CONNACK]: [
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b,
    0x9c, 0x9d, 0x9f,
  ],
  [PUBACK]: published, // [MQTT-3.4.2-1]
  [PUBREC]: published, // [MQTT-3.5.2-1]
  [PUBREL]: released, // [MQTT-3.6.2-1]
  [PUBCOMP]: released, // [MQTT-3.7.2-1]
  [SUBACK]: [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2], // [MQTT-3.9.3-2]
  [UNSUBACK]: [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91], // [MQTT-3.11.3-2]
  [DISCONNECT]: [...disconnectOfBoth, ...disconnectOfServer], // [MQTT-3.14.2-1]
  [AUTH]: [0x00, 0x18], // [MQTT-3.15.2-1]
};

const fromClient: Record<Carrier, readonly number[]> = {
  ...fromServer,
  [DISCONNECT]: [...disconnectOfBoth, 0x04],
  [AUTH]: [0x18, 0x19],
};

const tables = { client: toTables(fromClient), server: toTables(fromServer) };

function toTables(codes: Record<Carrier, readonly number[]>): readonly ReadonlySet<number>[] {
  return Array.from({ length: 16 }, (_, type) => new Set(codes[type as Carrier] ?? []));
}

/** Narrows a byte to a reason code. Throws {@link CodecError} 0x82 when `sender` may not put it in a packet of `type`. */
export function requireReasonCode(type: Carrier, code: number, sender: Sender | undefined): ReasonCode {
  const allowed =
    sender === undefined
      ? tables.client[type]?.has(code) === true || tables.server[type]?.has(code) === true
      : tables[sender][type]?.has(code);
  if (allowed === true) return code as ReasonCode;
  throw new CodecError(
    ReasonCode.protocolError,
    `Reason code 0x${code.toString(16).padStart(2, '0')} is not one of this packet's`,
    clauseOf[type],
  );
}

const clauseOf: Record<Carrier, string> = {
  [CONNACK]: 'MQTT-3.2.2-8',
  [PUBACK]: 'MQTT-3.4.2-1',
  [PUBREC]: 'MQTT-3.5.2-1',
  [PUBREL]: 'MQTT-3.6.2-1',
  [PUBCOMP]: 'MQTT-3.7.2-1',
  [SUBACK]: 'MQTT-3.9.3-2',
  [UNSUBACK]: 'MQTT-3.11.3-2',
  [DISCONNECT]: 'MQTT-3.14.2-1',
  [AUTH]: 'MQTT-3.15.2-1',
};
