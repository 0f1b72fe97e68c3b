import type { ConnectProperties, PublishProperties, UserProperties, Will } from '@moat/client';
import { usageError } from '../failure.js';

/** The MQTT 5.0 properties that `-D` gives, by the packet that carries them. */
export interface Properties {
  readonly connect: ConnectProperties;
  readonly publish: PublishProperties;
  readonly subscribe: { readonly subscriptionIdentifier?: number; readonly userProperties?: UserProperties };
  readonly will: NonNullable<Will['properties']>;
}

interface Kind {
  readonly name: string;
  parse(text: string): unknown;
}

const text = (name: string): Kind => ({ name, parse: (value) => value });
const bytes = (name: string): Kind => ({ name, parse: (value) => Buffer.from(value) });
const flag = (name: string): Kind => ({ name, parse: (value) => number(value, 0, 1) === 1 });
const upTo = (maximum: number, name: string, minimum = 0): Kind => ({
  name,
  parse: (value) => number(value, minimum, maximum),
});

const seconds = 0xffff_ffff;

const ofMessage: Record<string, Kind> = {
  'payload-format-indicator': flag('payloadFormatIndicator'),
  'message-expiry-interval': upTo(seconds, 'messageExpiryInterval'),
  'content-type': text('contentType'),
  'response-topic': text('responseTopic'),
  'correlation-data': bytes('correlationData'),
};

/** Property names as Mosquitto writes them; `user-property` is there for all. */
const known: Record<keyof Properties, Record<string, Kind>> = {
  connect: {
    'session-expiry-interval': upTo(seconds, 'sessionExpiryInterval'),
    'receive-maximum': upTo(65_535, 'receiveMaximum', 1),
    'maximum-packet-size': upTo(seconds, 'maximumPacketSize', 1),
    'topic-alias-maximum': upTo(65_535, 'topicAliasMaximum'),
    'request-response-information': flag('requestResponseInformation'),
    'request-problem-information': flag('requestProblemInformation'),
  },
  publish: ofMessage,
  subscribe: { 'subscription-identifier': upTo(268_435_455, 'subscriptionIdentifier', 1) },
  will: { ...ofMessage, 'will-delay-interval': upTo(seconds, 'willDelayInterval') },
};

/**
 * Reads the words of all `-D` in a row: `COMMAND NAME VALUE`, and `COMMAND user-property NAME VALUE`.
 *
 * @throws CommandError with exit code 2
 */
export function parseProperties(words: readonly string[]): Properties {
  const properties = { connect: {}, publish: {}, subscribe: {}, will: {} } as Record<
    keyof Properties,
    Record<string, unknown>
  >;
  const rest = [...words];
  while (rest.length > 0) {
    const command = (rest.shift() ?? '').toLowerCase();
    if (!Object.hasOwn(known, command)) throw usageError(`-D ${command}: use ${Object.keys(known).join(', ')}`);
    const packet = command as keyof Properties;
    const [name, value] = [rest.shift(), rest.shift()];
    if (name === undefined || value === undefined) throw usageError(`-D ${command}: a name and a value must follow`);
    if (name === 'user-property') {
      const userValue = rest.shift();
      if (userValue === undefined) throw usageError(`-D ${command} user-property ${value}: its value is missing`);
      addUserProperty(properties[packet], value, userValue);
      continue;
    }
    const kind = Object.hasOwn(known[packet], name) ? known[packet][name] : undefined;
    if (!kind) {
      const names = [...Object.keys(known[packet]), 'user-property'];
      throw usageError(`-D ${command} ${name}: use ${names.join(', ')}`);
    }
    properties[packet][kind.name] = kind.parse(value);
  }
  return properties;
}

function addUserProperty(properties: Record<string, unknown>, name: string, value: string): void {
  // No prototype: a name such as __proto__ is a name like any other.
  const { userProperties = Object.create(null) } = properties as { userProperties?: Record<string, string[]> };
  userProperties[name] = [...(userProperties[name] ?? []), value];
  Object.assign(properties, { userProperties });
}

function number(value: string, minimum: number, maximum: number): number {
  const parsed = Number(value);
  if (!/^\d+$/.test(value) || parsed < minimum || parsed > maximum) {
    throw usageError(`-D: ${value} is not a whole number from ${minimum} to ${maximum}`);
  }
  return parsed;
}
