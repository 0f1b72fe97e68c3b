export type Version = 3 | 4 | 5;

/** A string with its length, in hexadecimal. */
export function text(value: string): string {
  const bytes = Buffer.from(value);
  return bytes.length.toString(16).padStart(4, '0') + bytes.toString('hex');
}

/** Hexadecimal parts behind their length as a variable byte integer: the properties of a packet. */
export function group(...parts: readonly string[]): string {
  const body = parts.join('').replaceAll(' ', '');
  let length = '';
  let left = body.length / 2;
  for (; left > 0x7f; left >>= 7) length += (0x80 | (left & 0x7f)).toString(16);
  return length + left.toString(16).padStart(2, '0') + body;
}

/** A whole packet in hexadecimal: the first byte, then what the remaining length counts. */
export function packet(first: string, ...parts: readonly string[]): string {
  return first + group(...parts);
}

export interface ConnectFields {
  readonly clientId?: string;
  readonly cleanStart?: boolean;
  /** Seconds. */
  readonly keepAlive?: number;
  /** Hexadecimal, without their length; 5.0 only. */
  readonly properties?: string;
  /** Hexadecimal will fields as they stand in the payload, with the Connect Flags that belong to them. */
  readonly will?: { readonly flags: number; readonly fields: string };
  readonly username?: string;
  readonly password?: string;
}

/** A will with a payload of text, for {@link connectPacket}; `properties` without their length, 5.0 only. */
export function will(
  version: Version,
  topic: string,
  payload: string,
  { qos = 0, retain = false, properties = '' }: { qos?: 0 | 1 | 2; retain?: boolean; properties?: string } = {},
): NonNullable<ConnectFields['will']> {
  const flags = 0x04 | (qos << 3) | (retain ? 0x20 : 0);
  return { flags, fields: (version === 5 ? group(properties) : '') + text(topic) + text(payload) };
}

let clients = 0;

/** CONNECT of any version; the client ID is a new one unless given. */
export function connectPacket(version: Version, fields: ConnectFields = {}): string {
  const { clientId = `c${++clients}`, cleanStart = true, keepAlive = 60, will, username, password } = fields;
  const flags =
    (cleanStart ? 0x02 : 0) |
    (will?.flags ?? 0) |
    (username === undefined ? 0 : 0x80) |
    (password === undefined ? 0 : 0x40);
  return packet(
    '10',
    text(version === 3 ? 'MQIsdp' : 'MQTT'),
    Buffer.from([version, flags, keepAlive >> 8, keepAlive & 0xff]).toString('hex'),
    version === 5 ? group(fields.properties ?? '') : '',
    text(clientId),
    will?.fields ?? '',
    username === undefined ? '' : text(username),
    password === undefined ? '' : text(password),
  );
}

/** SUBSCRIBE: each filter with its options byte; `properties` without their length, 5.0 only. */
export function subscribe(
  version: Version,
  packetId: number,
  filters: Readonly<Record<string, number>>,
  properties = '',
): string {
  const requests = Object.entries(filters).map(([filter, options]) => text(filter) + hex(options, 1));
  return packet('82', hex(packetId, 2), version === 5 ? group(properties) : '', ...requests);
}

export function unsubscribe(version: Version, packetId: number, ...filters: readonly string[]): string {
  return packet('a2', hex(packetId, 2), version === 5 ? group() : '', ...filters.map(text));
}

export interface PublishFields {
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  readonly dup?: boolean;
  /** For QoS 1 and 2. */
  readonly packetId?: number;
  /** Hexadecimal, without their length; 5.0 only. */
  readonly properties?: string;
}

/** PUBLISH with a payload of text. */
export function publish(version: Version, topic: string, payload: string, fields: PublishFields = {}): string {
  const { qos = 0, retain = false, dup = false, packetId = 1, properties = '' } = fields;
  return packet(
    hex(0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0), 1),
    text(topic),
    qos === 0 ? '' : hex(packetId, 2),
    version === 5 ? group(properties) : '',
    Buffer.from(payload).toString('hex'),
  );
}

/** A number in so many bytes. */
export function hex(value: number, bytes: number): string {
  return value.toString(16).padStart(2 * bytes, '0');
}
