import { CodecError } from '../error.js';
import { PacketType } from '../packet-type.js';
import type { Properties, UserProperty } from '../properties.js';
import { type Carrier, type PropertyDefinition, propertyById } from '../property-table.js';
import { ReasonCode } from '../reason-code.js';
import { isValidTopicName } from '../topic.js';
import { malformed, protocolError, Reader } from './reader.js';

type Value = Properties[keyof Properties];

/**
 * Reads the property length and the properties of one carrier; undefined when there are none. Throws
 * {@link CodecError} 0x81 for a property that the carrier cannot have, 0x82 for one given twice or out of range, 0x94
 * for topic alias 0, 0x97 for more than `maximumUserProperties` user properties.
 */
export function readProperties(
  packet: Reader,
  carrier: Carrier,
  maximumUserProperties: number,
): Properties | undefined {
  const length = packet.variableByteInteger();
  if (length === 0) return undefined; // [MQTT-2.2.2-1]
  if (length > packet.left) throw malformed('The property length exceeds the packet');
  const reader = new Reader(packet.bytes, packet.at, packet.at + length);
  packet.at = reader.end;
  const properties: Properties = {};
  while (reader.left > 0) readProperty(reader, carrier, properties, maximumUserProperties);
  return properties;
}

function readProperty(reader: Reader, carrier: Carrier, properties: Properties, maximumUserProperties: number): void {
  // An identifier of two bytes is none that the standard defines, so one byte is enough to read.
  const definition = propertyById[reader.byte()];
  if (definition === undefined || (definition.carriers & (1 << carrier)) === 0) {
    throw malformed('A property that this packet cannot have');
  }
  if (definition.kind === 'pairs') {
    properties.userProperties ??= [];
    const pairs = properties.userProperties as UserProperty[];
    if (pairs.length >= maximumUserProperties) {
      throw new CodecError(ReasonCode.quotaExceeded, `More than ${maximumUserProperties} user properties`);
    }
    pairs.push([reader.string(), reader.string()]); // [MQTT-1.5.7-1] [MQTT-3.1.3-10]
    return;
  }
  if (definition.kind === 'identifiers') {
    if (carrier === PacketType.SUBSCRIBE && properties.subscriptionIdentifiers !== undefined) {
      throw protocolError('A SUBSCRIBE with several subscription identifiers');
    }
    properties.subscriptionIdentifiers ??= [];
    (properties.subscriptionIdentifiers as number[]).push(atLeast(definition, reader.variableByteInteger()));
    return;
  }
  if (properties[definition.name] !== undefined) throw protocolError(`${definition.name} is given twice`);
  (properties as Record<string, Value>)[definition.name] = readValue(reader, definition);
}

function readValue(reader: Reader, definition: PropertyDefinition): Value {
  switch (definition.kind) {
    case 'bit':
      return bit(reader, definition);
    case 'boolean':
      return bit(reader, definition) === 1;
    case 'twoBytes':
      return atLeast(definition, reader.twoBytes());
    case 'fourBytes':
      return atLeast(definition, reader.fourBytes());
    case 'string':
      return reader.string(); // [MQTT-3.3.2-19]
    case 'topic': {
      const topic = reader.name(); // [MQTT-3.3.2-13]
      // [MQTT-3.3.2-14]
      if (!isValidTopicName(topic)) {
        throw protocolError('A response topic that is empty or has a wildcard', 'MQTT-3.3.2-14');
      }
      return topic;
    }
    default:
      return reader.binary();
  }
}

function bit(reader: Reader, definition: PropertyDefinition): 0 | 1 {
  const value = reader.byte();
  if (value > 1) throw protocolError(`${definition.name} is neither 0 nor 1`);
  return value as 0 | 1;
}

function atLeast(definition: PropertyDefinition, value: number): number {
  if (value >= definition.minimum) return value;
  // [MQTT-3.3.2-8]
  if (definition.name === 'topicAlias') {
    throw new CodecError(ReasonCode.topicAliasInvalid, 'A topic alias of 0', 'MQTT-3.3.2-8');
  }
  throw protocolError(`${definition.name} is 0`);
}
