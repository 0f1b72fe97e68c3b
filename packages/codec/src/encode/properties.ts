import { CodecError } from '../error.js';
import type { ProtocolVersion } from '../packet-type.js';
import type { Properties } from '../properties.js';
import { type Carrier, type PropertyDefinition, propertyByName } from '../property-table.js';
import { ReasonCode } from '../reason-code.js';
import { isValidTopicName } from '../topic.js';
import { MAXIMUM_VARIABLE_BYTE_INTEGER } from '../variable-byte-integer.js';
import { requireInteger, type Writer } from './writer.js';

interface Subject {
  carrier: Carrier;
  properties: Properties;
}

/** Writes the property length and the properties, in 5.0; nothing before it. */
export function writeProperties(
  writer: Writer,
  version: ProtocolVersion,
  carrier: Carrier,
  properties: Properties | undefined,
): void {
  if (version !== 5) return;
  // [MQTT-2.2.2-1]
  if (properties === undefined) writer.byte(0);
  else writer.measured(writeAll, { carrier, properties });
}

function writeAll(writer: Writer, { carrier, properties }: Subject): void {
  for (const name of Object.keys(properties)) {
    const value: unknown = properties[name as keyof Properties];
    if (value === undefined) continue;
    const definition = propertyByName.get(name);
    if (definition === undefined || (definition.carriers & (1 << carrier)) === 0) {
      throw new CodecError(ReasonCode.protocolError, `${name} is not a property of this packet`);
    }
    if (definition.kind === 'pairs') writePairs(writer, definition, value as Pairs);
    else if (definition.kind === 'identifiers') writeIdentifiers(writer, definition, value as readonly number[]);
    else {
      writer.byte(definition.id);
      writeValue(writer, definition, value);
    }
  }
}

type Pairs = NonNullable<Properties['userProperties']>;

function writePairs(writer: Writer, { id }: PropertyDefinition, pairs: Pairs): void {
  // [MQTT-3.3.2-18]
  for (const [name, value] of pairs) {
    writer.byte(id);
    writer.string(name);
    writer.string(value);
  }
}

function writeIdentifiers(writer: Writer, { id, name }: PropertyDefinition, identifiers: readonly number[]): void {
  for (const identifier of identifiers) {
    writer.byte(id);
    writer.variableByteInteger(requireInteger(name, identifier, 1, MAXIMUM_VARIABLE_BYTE_INTEGER));
  }
}

function writeValue(writer: Writer, { kind, name, minimum }: PropertyDefinition, value: unknown): void {
  switch (kind) {
    case 'bit':
      writer.byte(requireInteger(name, value as number, 0, 1));
      return;
    case 'boolean':
      writer.byte(value === true ? 1 : 0);
      return;
    case 'twoBytes':
      writer.twoBytes(requireInteger(name, value as number, minimum, 0xffff));
      return;
    case 'fourBytes':
      writer.fourBytes(requireInteger(name, value as number, minimum, 0xffffffff));
      return;
    case 'binary':
      writer.binary(value as Uint8Array);
      return;
    case 'topic':
      // [MQTT-3.3.2-14]
      if (!isValidTopicName(value as string)) {
        throw new CodecError(ReasonCode.protocolError, `${name} is empty or has a wildcard`, 'MQTT-3.3.2-14');
      }
      writer.string(value as string);
      return;
    default:
      writer.string(value as string);
  }
}
