import {
  type ConnectPacket,
  encode,
  type Packet,
  PacketType,
  type Properties,
  type ProtocolVersion,
  type PublishPacket,
  type SubscribePacket,
} from '@moat/codec';
import type { Random } from '@moat/testkit';
import { clientId, password, topicFilter, topicName, type User } from './names.js';

/** Packets as one client would send them: each of them sound, whether or not it fits what went before. */
export class ClientPackets {
  constructor(
    private readonly version: ProtocolVersion,
    private readonly user: User,
    private readonly random: Random,
  ) {}

  connect(): Uint8Array {
    const { random, version, user } = this;
    const cleanStart = random.chance(60);
    const packet: ConnectPacket = {
      type: PacketType.CONNECT,
      version,
      cleanStart,
      keepAlive: random.pick([0, 1, 60, 65_535]),
      clientId: clientId(user, random),
      properties: this.some({
        sessionExpiryInterval: random.pick([0, 1, 30, 4_294_967_295]),
        receiveMaximum: random.pick([1, 2, 20, 65_535]),
        maximumPacketSize: random.pick([200, 2_000, 268_435_455, random.chance(80) ? 60 : 2]),
        topicAliasMaximum: random.pick([0, 1, 10, 65_535]),
        requestResponseInformation: random.chance(50),
        requestProblemInformation: random.chance(50),
        userProperties: this.userProperties(),
      }),
    };
    // Before 5.0 an empty client ID needs a clean session, and 3.1 knows none at all.
    if (packet.clientId === '' && (version === 3 || !cleanStart)) packet.clientId = 'f0';
    if (random.chance(25)) packet.will = this.will();
    if (user !== undefined) {
      packet.username = user;
      packet.password = Buffer.from(random.chance(95) ? password : 'guess');
    } else if (version === 5 && random.chance(4)) {
      packet.properties = {
        ...packet.properties,
        authenticationMethod: random.pick(['SCRAM-SHA-256', 'none such']),
        authenticationData: Buffer.from('n,,n=ann,r=fyko+d2lbbFgONRv9qkxdawL'),
      };
    }
    return encode(packet, version);
  }

  /** Any packet but CONNECT. */
  next(): Uint8Array {
    const { random } = this;
    switch (random.below(20)) {
      case 0:
      case 1:
        return this.bytes(this.subscribe());
      case 2:
        return this.bytes({ type: PacketType.UNSUBSCRIBE, packetId: this.packetId(), filters: this.filters() });
      case 3:
        return this.bytes({ type: PacketType.PINGREQ });
      case 4:
      case 5:
        return this.acknowledgement();
      case 8:
        return random.chance(8) ? this.rare() : this.bytes(this.publish());
      default:
        return this.bytes(this.publish());
    }
  }

  private publish(): PublishPacket {
    const { random } = this;
    const qos = random.pick([0, 0, 1, 1, 2] as const);
    return {
      type: PacketType.PUBLISH,
      topic: topicName(this.user, random),
      payload: this.payload(),
      qos,
      retain: random.chance(15),
      dup: qos > 0 && random.chance(20),
      packetId: qos === 0 ? 0 : this.packetId(),
      ...this.publishProperties(),
    };
  }

  private publishProperties(): Pick<PublishPacket, 'properties'> {
    const { random, version } = this;
    if (version !== 5 || random.chance(50)) return {};
    return {
      properties: this.some({
        payloadFormatIndicator: random.below(2),
        messageExpiryInterval: random.pick([0, 1, 60, 4_294_967_295]),
        topicAlias: 1 + random.below(random.pick([3, 3, 3, 3, 33])),
        responseTopic: topicName(this.user, random),
        correlationData: this.payload(),
        contentType: 'text/plain',
        userProperties: this.userProperties(),
      }),
    };
  }

  private subscribe(): SubscribePacket {
    const { random, version } = this;
    return {
      type: PacketType.SUBSCRIBE,
      packetId: this.packetId(),
      subscriptions: this.filters().map((filter) => ({
        filter,
        qos: random.pick([0, 1, 2] as const),
        noLocal: random.chance(20) && !filter.startsWith('$share'),
        retainAsPublished: random.chance(50),
        retainHandling: random.pick([0, 1, 2] as const),
      })),
      ...(version === 5 && random.chance(30)
        ? { properties: { subscriptionIdentifiers: [1 + random.below(300)] } }
        : {}),
    };
  }

  private filters(): string[] {
    const { random, user } = this;
    return Array.from({ length: 1 + random.below(random.chance(5) ? 40 : 3) }, () => topicFilter(user, random));
  }

  private acknowledgement(): Uint8Array {
    const { random, version } = this;
    const { PUBACK, PUBREC, PUBREL, PUBCOMP } = PacketType;
    const type = random.pick([PUBACK, PUBREC, PUBREL, PUBREL, PUBCOMP]);
    const reasons = type === PUBREL || type === PUBCOMP ? ([0, 0x92] as const) : ([0, 0x10, 0x80, 0x97] as const);
    const reasonCode = version === 5 && random.chance(10) ? random.pick<0 | 0x10 | 0x80 | 0x92 | 0x97>(reasons) : 0;
    return this.bytes({ type, packetId: this.packetId(), reasonCode });
  }

  private rare(): Uint8Array {
    const { random, version } = this;
    if (random.chance(20)) return this.connect();
    if (version !== 5 || random.chance(30)) return this.bytes({ type: PacketType.DISCONNECT, reasonCode: 0 });
    if (random.chance(50)) {
      const properties = this.some({ sessionExpiryInterval: random.pick([0, 5]), reasonString: 'enough' });
      return this.bytes({ type: PacketType.DISCONNECT, reasonCode: random.pick([0, 4, 0x98] as const), properties });
    }
    const properties = {
      authenticationMethod: 'SCRAM-SHA-256',
      authenticationData: Buffer.from('c=biws,r=x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='),
    };
    return this.bytes({ type: PacketType.AUTH, reasonCode: random.pick([0x18, 0x19] as const), properties });
  }

  private will(): NonNullable<ConnectPacket['will']> {
    const { random } = this;
    return {
      topic: topicName(this.user, random),
      payload: this.payload().subarray(0, 65_535),
      qos: random.pick([0, 1, 2] as const),
      retain: random.chance(20),
      properties: this.some({
        willDelayInterval: random.pick([0, 1, 60]),
        messageExpiryInterval: random.pick([1, 60]),
        responseTopic: 'public/g0/answer',
        correlationData: this.payload().subarray(0, 65_535),
        userProperties: this.userProperties(),
      }),
    };
  }

  /** Few identifiers, so that they meet again. */
  private packetId(): number {
    return this.random.chance(95) ? 1 + this.random.below(6) : this.random.pick([65_535, 1_000]);
  }

  private payload(): Uint8Array {
    const { random } = this;
    const size = random.chance(97) ? random.below(40) : random.pick([2_047, 2_048, 5_000, 16_384, 60_000]);
    return new Uint8Array(size).fill(random.below(256));
  }

  private userProperties(): (readonly [string, string])[] {
    const { random } = this;
    const pairs = random.chance(95) ? random.below(3) : random.pick([64, 65, 200]);
    return Array.from({ length: pairs }, () => [random.pick(['a', '__proto__', 'constructor']), 'b'] as const);
  }

  /** Some of these properties. */
  private some<P extends Properties>(properties: P): Partial<P> {
    const kept = Object.entries(properties).filter(() => this.random.chance(35));
    return Object.fromEntries(kept) as Partial<P>;
  }

  private bytes(packet: Packet): Uint8Array {
    return encode(packet, this.version);
  }
}
