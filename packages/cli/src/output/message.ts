import { isUtf8 } from 'node:buffer';
import type { Message } from '@moat/client';
import { escapeControls, escapeControlsInLines } from './escape.js';

export type Format = 'text' | 'json' | 'raw';

export interface MessageStyle {
  readonly format: Format;
  /** The topic in front of the payload. */
  readonly verbose: boolean;
  /** A person reads it on a terminal, which control characters could command. */
  readonly terminal: boolean;
}

/** A message as `moat sub` prints it, with its line end. */
export function formatMessage(message: Message, time: Date, style: MessageStyle): string | Buffer {
  switch (style.format) {
    case 'raw':
      return message.payload;
    case 'json':
      return `${toJson(message, time)}\n`;
    case 'text': {
      const text = readable(message.payload);
      const payload = style.terminal ? escapeControlsInLines(text) : text;
      return style.verbose ? `${escapeControls(message.topic)} ${payload}\n` : `${payload}\n`;
    }
  }
}

/** Text as it is; what is no text as hexadecimal. */
function readable(payload: Buffer): string {
  return isText(payload) ? payload.toString() : `0x${payload.toString('hex')}`;
}

function toJson({ topic, payload, qos, retain, properties }: Message, time: Date): string {
  const body = isText(payload) ? { payload: payload.toString() } : { payloadBase64: payload.toString('base64') };
  const { correlationData, ...others } = properties;
  const binary = correlationData ? { correlationDataBase64: correlationData.toString('base64') } : {};
  const line = { topic, ...body, qos, retain, properties: { ...others, ...binary }, time: time.toISOString() };
  // JSON leaves DEL and the C1 controls as they are; terminals obey them. Escaped, it is the same JSON.
  return escapeControls(JSON.stringify(line));
}

function isText(payload: Buffer): boolean {
  return isUtf8(payload) && !payload.includes(0);
}
