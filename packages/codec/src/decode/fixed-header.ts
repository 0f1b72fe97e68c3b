import { PacketType, type ProtocolVersion } from '../packet-type.js';
import { malformed, protocolError } from './reader.js';

const { CONNECT, CONNACK, PUBLISH, PUBREL, SUBSCRIBE, SUBACK } = PacketType;
const { UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH } = PacketType;

const ONLY_FROM_CLIENT = bits(CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ);
const ONLY_FROM_SERVER = bits(CONNACK, SUBACK, UNSUBACK, PINGRESP);
const FLAGS_0010 = bits(PUBREL, SUBSCRIBE, UNSUBSCRIBE);

function bits(...types: PacketType[]): number {
  return types.reduce((mask, type) => mask | (1 << type), 0);
}

/** 1 where a first byte was found good before, by version and byte: `version << 8 | first`. */
const FOUND_GOOD = { fromClient: new Uint8Array(6 * 256), fromServer: new Uint8Array(6 * 256) };

/**
 * Judges the first byte of a packet, before anything else of it is there.
 *
 * @param version 0 while the server waits for CONNECT
 */
export function checkFirstByte(first: number, role: 'server' | 'client', version: 0 | ProtocolVersion): void {
  const foundGood = role === 'server' ? FOUND_GOOD.fromClient : FOUND_GOOD.fromServer;
  const at = (version << 8) | first;
  if (foundGood[at] === 1) return;
  judge(first, role, version);
  foundGood[at] = 1;
}

function judge(first: number, role: 'server' | 'client', version: 0 | ProtocolVersion): void {
  const type = first >> 4;
  const flags = first & 0x0f;
  if (version === 0) {
    // [MQTT-3.1.0-1] [MQTT3-3.1.0-1]
    if (type !== CONNECT) throw protocolError('The first packet is not CONNECT', 'MQTT-3.1.0-1');
    return; // its flags are judged with its version: in 3.1 they mean nothing
  }
  if (type === CONNECT && role === 'server') {
    throw protocolError('A second CONNECT', 'MQTT-3.1.0-2'); // [MQTT-3.1.0-2] [MQTT3-3.1.0-2]
  }
  if (type === 0) throw protocolError('Packet type 0 is reserved');
  if (type === AUTH && version !== 5) throw malformed('Packet type 15 is reserved before MQTT 5.0');
  const silent = role === 'client' && version < 5 && type === DISCONNECT;
  if (silent || ((role === 'server' ? ONLY_FROM_SERVER : ONLY_FROM_CLIENT) & (1 << type)) !== 0) {
    throw protocolError(`A packet of type ${type} from a ${role === 'server' ? 'client' : 'server'}`);
  }
  if (type === PUBLISH) {
    checkPublishFlags(flags);
    return;
  }
  const expected = (FLAGS_0010 & (1 << type)) !== 0 ? 0x02 : 0x00;
  // MQTT 3.1 §3.6, §3.8, §3.10: these three may bear the DUP flag.
  if (version === 3 && expected === 0x02 && flags === 0x0a) return;
  // [MQTT-2.1.3-1] [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT-3.14.1-1] [MQTT-3.15.1-1] [MQTT3-2.2.2-1]
  // [MQTT3-2.2.2-2] [MQTT3-3.6.1-1] [MQTT3-3.8.1-1] [MQTT3-3.10.1-1] [MQTT3-3.14.1-1]
  if (flags !== expected) throw malformed('Reserved bits of the fixed header are not as required', 'MQTT-2.1.3-1');
}

function checkPublishFlags(flags: number): void {
  const qos = (flags >> 1) & 3;
  // [MQTT-3.3.1-4] [MQTT3-3.3.1-4]
  if (qos === 3) throw malformed('A PUBLISH with QoS 3', 'MQTT-3.3.1-4');
  // [MQTT-3.3.1-2] [MQTT3-3.3.1-2]
  if (qos === 0 && (flags & 0x08) !== 0) throw malformed('A PUBLISH with DUP and QoS 0', 'MQTT-3.3.1-2');
}
