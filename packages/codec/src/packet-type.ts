/** The 15 MQTT control packets by the number in their fixed header (MQTT 5.0 §2.1.2; AUTH exists in 5.0 only). */
export const PacketType = {
  CONNECT: 1,
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  SUBACK: 9,
  UNSUBSCRIBE: 10,
  UNSUBACK: 11,
  PINGREQ: 12,
  PINGRESP: 13,
  DISCONNECT: 14,
  AUTH: 15,
} as const;

export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** The protocol version byte of CONNECT (MQTT 5.0 §3.1.2.2): 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
export const ProtocolVersion = { V3_1: 3, V3_1_1: 4, V5_0: 5 } as const;

export type ProtocolVersion = (typeof ProtocolVersion)[keyof typeof ProtocolVersion];

/** Quality of service (MQTT 5.0 §4.3): 0 at most once, 1 at least once, 2 exactly once. */
export type QoS = 0 | 1 | 2;
