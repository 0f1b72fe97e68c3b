import {
  type AcknowledgementPacket,
  type AuthPacket,
  type ConnackPacket,
  type ConnectPacket,
  type DisconnectPacket,
  isValidTopicFilter,
  isValidTopicName,
  type Packet,
  PacketType,
  type Properties,
  type ProtocolVersion,
  type PublishPacket,
  type QoS,
  type ReasonCode,
  type SubscribePacket,
  type SubscriptionRequest,
  type Will,
} from '@moat/codec';
import fc, { type Arbitrary } from 'fast-check';

/** Text of any characters that MQTT allows, mostly short. */
const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => !value.includes('\0'));
/** Text that may name something: no control characters. */
const name = text.filter((value) => !/[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(value));
const topic = fc
  .oneof(name, fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 }))
  .filter(isValidTopicName);
const filter = fc
  .oneof(topic, fc.constantFrom('#', '+', 'a/+/b', '$share/g/#', '$share/é/+/x', '/'))
  .filter(isValidTopicFilter);
const binary = fc.uint8Array({ maxLength: 12 }).map((bytes) => Uint8Array.from(bytes));
const payload = fc.oneof(
  binary,
  fc.integer({ min: 100, max: 20_000 }).map((size) => new Uint8Array(size).fill(size)),
);
const packetId = fc.integer({ min: 1, max: 65_535 });
const twoBytes = fc.integer({ min: 0, max: 65_535 });
const fourBytes = fc.integer({ min: 0, max: 0xffffffff });
const qos = fc.constantFrom<QoS>(0, 1, 2);

const kinds = {
  payloadFormatIndicator: fc.constantFrom(0, 1),
  messageExpiryInterval: fourBytes,
  contentType: text,
  responseTopic: topic,
  correlationData: binary,
  subscriptionIdentifiers: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { minLength: 1, maxLength: 3 }),
  sessionExpiryInterval: fourBytes,
  assignedClientIdentifier: text,
  serverKeepAlive: twoBytes,
  authenticationMethod: text,
  authenticationData: binary,
  requestProblemInformation: fc.boolean(),
  willDelayInterval: fourBytes,
  requestResponseInformation: fc.boolean(),
  responseInformation: text,
  serverReference: text,
  reasonString: text,
  receiveMaximum: packetId,
  topicAliasMaximum: twoBytes,
  topicAlias: packetId,
  maximumQoS: fc.constantFrom(0, 1),
  retainAvailable: fc.boolean(),
  userProperties: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 }),
  maximumPacketSize: fc.integer({ min: 1, max: 0xffffffff }),
  wildcardSubscriptionAvailable: fc.boolean(),
  subscriptionIdentifiersAvailable: fc.boolean(),
  sharedSubscriptionAvailable: fc.boolean(),
} satisfies { [K in keyof Properties]-?: Arbitrary<NonNullable<Properties[K]>> };

/** Some of the named properties, or none at all. */
function properties(version: ProtocolVersion, ...names: (keyof Properties)[]): Arbitrary<{ properties?: Properties }> {
  if (version < 5) return fc.constant({});
  const all: Record<string, Arbitrary<unknown>> = Object.fromEntries(names.map((name) => [name, kinds[name]]));
  return fc
    .record(all, { requiredKeys: [], noNullPrototype: true })
    .map((some) => (Object.keys(some).length === 0 ? {} : { properties: some as Properties }));
}

function together<A, B>(first: Arbitrary<A>, second: Arbitrary<B>): Arbitrary<A & B> {
  return fc.tuple(first, second).map(([a, b]) => ({ ...a, ...b }));
}

/** An object of fields that are always there; what a packet may lack is added with {@link together}. */
function record<T>(fields: { [K in keyof T]?: Arbitrary<T[K]> }): Arbitrary<T> {
  return fc.record(fields as Record<string, Arbitrary<unknown>>, { noNullPrototype: true }) as unknown as Arbitrary<T>;
}

/** Authentication data never comes without a method. */
function withMethod<T extends { properties?: Properties }>(packet: T): T {
  const { properties: given } = packet;
  if (given?.authenticationData === undefined || given.authenticationMethod !== undefined) return packet;
  return { ...packet, properties: { ...given, authenticationMethod: 'm' } };
}

function connect(version: ProtocolVersion): Arbitrary<ConnectPacket> {
  const names = ['sessionExpiryInterval', 'receiveMaximum', 'maximumPacketSize', 'topicAliasMaximum'] as const;
  const more = ['requestResponseInformation', 'requestProblemInformation', 'userProperties'] as const;
  const given = properties(version, ...names, ...more, 'authenticationMethod', 'authenticationData');
  const willNames = ['willDelayInterval', 'payloadFormatIndicator', 'messageExpiryInterval', 'contentType'] as const;
  const willProperties = properties(version, ...willNames, 'responseTopic', 'correlationData', 'userProperties');
  const will = together(record<Will>({ topic, payload: binary, qos, retain: fc.boolean() }), willProperties);
  const credentials = fc
    .record({ will, username: name, password: binary }, { requiredKeys: [], noNullPrototype: true })
    .filter((some) => version === 5 || some.password === undefined || some.username !== undefined);
  const fixed = { type: fc.constant(PacketType.CONNECT), version: fc.constant(version) };
  const fields = record<ConnectPacket>({
    ...fixed,
    cleanStart: fc.boolean(),
    keepAlive: twoBytes,
    clientId: name,
  });
  return together(together(fields, credentials), given).map(withMethod);
}

function publish(version: ProtocolVersion, from: 'client' | 'server'): Arbitrary<PublishPacket> {
  const names = ['payloadFormatIndicator', 'messageExpiryInterval', 'topicAlias', 'responseTopic'] as const;
  const more = ['correlationData', 'userProperties', 'contentType'] as const;
  const given = properties(
    version,
    ...names,
    ...more,
    ...(from === 'server' ? (['subscriptionIdentifiers'] as const) : []),
  );
  const fields = record<PublishPacket>({
    type: fc.constant(PacketType.PUBLISH),
    topic,
    payload,
    qos,
    retain: fc.boolean(),
    dup: fc.boolean(),
    packetId,
  });
  return together(fields, given).map((packet) => (packet.qos === 0 ? { ...packet, dup: false, packetId: 0 } : packet));
}

function acknowledgement(version: ProtocolVersion): Arbitrary<AcknowledgementPacket> {
  const published = version === 5 ? fc.constantFrom<ReasonCode>(0, 0x10, 0x83, 0x87, 0x97) : fc.constant<ReasonCode>(0);
  const released = version === 5 ? fc.constantFrom<ReasonCode>(0, 0x92) : fc.constant<ReasonCode>(0);
  const given = properties(version, 'reasonString', 'userProperties');
  return fc.oneof(
    together(
      record({ type: fc.constantFrom(PacketType.PUBACK, PacketType.PUBREC), packetId, reasonCode: published }),
      given,
    ),
    together(
      record({ type: fc.constantFrom(PacketType.PUBREL, PacketType.PUBCOMP), packetId, reasonCode: released }),
      given,
    ),
  );
}

function subscribe(version: ProtocolVersion): Arbitrary<SubscribePacket> {
  const five = version === 5;
  const request = record<SubscriptionRequest>({
    filter,
    qos,
    noLocal: five ? fc.boolean() : fc.constant(false),
    retainAsPublished: five ? fc.boolean() : fc.constant(false),
    retainHandling: five ? fc.constantFrom<0 | 1 | 2>(0, 1, 2) : fc.constant<0>(0),
  }).map((one) => (one.filter.startsWith('$share/') ? { ...one, noLocal: false } : one));
  const subscriptions = fc.array(request, { minLength: 1, maxLength: 4 });
  const given = properties(version, 'subscriptionIdentifiers', 'userProperties').map((some) => {
    const identifiers = some.properties?.subscriptionIdentifiers?.slice(0, 1);
    return identifiers === undefined
      ? some
      : { properties: { ...some.properties, subscriptionIdentifiers: identifiers } };
  });
  return together(record<SubscribePacket>({ type: fc.constant(PacketType.SUBSCRIBE), packetId, subscriptions }), given);
}

/** Any packet that a client may send in this version, but CONNECT. */
export function clientPacket(version: ProtocolVersion): Arbitrary<Packet> {
  const user = properties(version, 'userProperties');
  const filters = fc.array(filter, { minLength: 1, maxLength: 4 });
  const unsubscribe = together(record({ type: fc.constant(PacketType.UNSUBSCRIBE), packetId, filters }), user);
  const reasonCode = version === 5 ? fc.constantFrom<ReasonCode>(0, 4, 0x81, 0x93) : fc.constant<ReasonCode>(0);
  const given = properties(version, 'sessionExpiryInterval', 'reasonString', 'userProperties', 'serverReference');
  const disconnect = together(
    record<DisconnectPacket>({ type: fc.constant(PacketType.DISCONNECT), reasonCode }),
    given,
  );
  const pingreq = fc.constant<Packet>({ type: PacketType.PINGREQ });
  const common = [
    publish(version, 'client'),
    acknowledgement(version),
    subscribe(version),
    unsubscribe,
    disconnect,
    pingreq,
  ];
  return version === 5 ? fc.oneof(...common, auth([0x18, 0x19])) : fc.oneof(...common);
}

/** Any packet that a server may send in this version. */
export function serverPacket(version: ProtocolVersion): Arbitrary<Packet> {
  const five = version === 5;
  const codes = (...five0: ReasonCode[]) =>
    five ? fc.constantFrom(...five0) : fc.constantFrom<ReasonCode>(0, 1, 2, 0x80);
  const given = properties(version, 'reasonString', 'userProperties');
  const reasonCodes = fc.array(codes(0, 1, 2, 0x87, 0x8f, 0xa2), { minLength: 1, maxLength: 4 });
  const suback = together(record({ type: fc.constant(PacketType.SUBACK), packetId, reasonCodes }), given);
  const removed = five ? fc.array(codes(0, 0x11, 0x87), { minLength: 1, maxLength: 4 }) : fc.constant<ReasonCode[]>([]);
  const unsuback = together(record({ type: fc.constant(PacketType.UNSUBACK), packetId, reasonCodes: removed }), given);
  const pingresp = fc.constant<Packet>({ type: PacketType.PINGRESP });
  const common = [connack(version), publish(version, 'server'), acknowledgement(version), suback, unsuback, pingresp];
  if (!five) return fc.oneof(...common);
  const last = properties(version, 'reasonString', 'userProperties', 'serverReference');
  const reasonCode = fc.constantFrom<ReasonCode>(0, 0x8b, 0x8e, 0x9c);
  const disconnect = together(record<DisconnectPacket>({ type: fc.constant(PacketType.DISCONNECT), reasonCode }), last);
  return fc.oneof(...common, disconnect, auth([0, 0x18]));
}

function connack(version: ProtocolVersion): Arbitrary<ConnackPacket> {
  const reasonCode = version === 5 ? fc.constantFrom<ReasonCode>(0, 0x80, 0x87, 0x9f) : fc.constantFrom(0, 1, 5);
  const limits = [
    'sessionExpiryInterval',
    'receiveMaximum',
    'maximumQoS',
    'retainAvailable',
    'maximumPacketSize',
  ] as const;
  const flags = [
    'wildcardSubscriptionAvailable',
    'subscriptionIdentifiersAvailable',
    'sharedSubscriptionAvailable',
  ] as const;
  const texts = [
    'assignedClientIdentifier',
    'reasonString',
    'responseInformation',
    'serverReference',
    'userProperties',
  ] as const;
  const rest = ['topicAliasMaximum', 'serverKeepAlive', 'authenticationMethod', 'authenticationData'] as const;
  const given = properties(version, ...limits, ...flags, ...texts, ...rest);
  const sessionPresent = version === 3 ? fc.constant(false) : fc.boolean();
  const fields = record<ConnackPacket>({ type: fc.constant(PacketType.CONNACK), sessionPresent, reasonCode });
  return together(fields, given).map((packet) =>
    packet.reasonCode === 0 ? packet : { ...packet, sessionPresent: false },
  );
}

function auth(codes: ReasonCode[]): Arbitrary<AuthPacket> {
  const given = properties(5, 'authenticationMethod', 'authenticationData', 'reasonString', 'userProperties');
  const fields = record<AuthPacket>({
    type: fc.constant(PacketType.AUTH),
    reasonCode: fc.constantFrom(...codes),
  });
  return together(fields, given).map((packet) => ({
    ...packet,
    properties: { authenticationMethod: 'm', ...packet.properties },
  }));
}

export { connect as connectPacket };
