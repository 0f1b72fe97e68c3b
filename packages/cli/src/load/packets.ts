/**
 * The bytes of a load, written by hand and not by the codec: what measures a broker must not share its code.
 * MQTT 3.1.1 throughout.
 */
import type { Target } from './target.js';

export type QoS = 0 | 1 | 2;

/** The first byte of the packets that a load reads or writes, flags included where the standard fixes them. */
export const Header = {
  connect: 0x10,
  connack: 0x20,
  publish: 0x30,
  puback: 0x40,
  pubrec: 0x50,
  pubrel: 0x62,
  pubcomp: 0x70,
  subscribe: 0x82,
  suback: 0x90,
  disconnect: 0xe0,
} as const;

/** The last bytes of every payload: who sent it (uint32) and when, by the clock of the process (float64, milliseconds). */
export const tailBytes = 12;

const cleanSessionFlag = 0x02;
const passwordFlag = 0x40;
const usernameFlag = 0x80;
const keepAliveSeconds = 600;

export function connectPacket(clientId: string, { username, password }: Target, cleanSession: boolean): Buffer {
  const flags =
    (cleanSession ? cleanSessionFlag : 0) |
    (username === undefined ? 0 : usernameFlag) |
    (password === undefined ? 0 : passwordFlag);
  return packet(
    Header.connect,
    string('MQTT'),
    Buffer.from([4, flags, keepAliveSeconds >> 8, keepAliveSeconds & 0xff]),
    string(clientId),
    ...[username, password].filter((field) => field !== undefined).map(string),
  );
}

export function subscribePacket(filter: string, qos: QoS): Buffer {
  return packet(Header.subscribe, Buffer.from([0, 1]), string(filter), Buffer.from([qos]));
}

export const disconnectPacket: Buffer = packet(Header.disconnect);

/** A PUBLISH of `payloadBytes` (at least {@link tailBytes}), sent by publisher number `publisher`. */
export function publishPacket(
  topic: string,
  qos: QoS,
  packetId: number,
  payloadBytes: number,
  publisher: number,
): Buffer {
  const payload = Buffer.alloc(payloadBytes, 'moat ');
  payload.writeUInt32BE(publisher, payloadBytes - tailBytes);
  const identifier = qos === 0 ? [] : [Buffer.from([packetId >> 8, packetId & 0xff])];
  return packet(Header.publish | (qos << 1), string(topic), ...identifier, payload);
}

function packet(header: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let left = body.length;
  do {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.from([header, ...length]), body]);
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
