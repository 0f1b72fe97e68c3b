import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '@moat/client';
import { formatMessage, type MessageStyle } from '../../dist/output/message.js';

const message: Message = {
  topic: 'a/b',
  payload: Buffer.from('x'),
  qos: 0,
  retain: false,
  duplicate: false,
  properties: {},
};
const piped: MessageStyle = { format: 'text', verbose: true, terminal: false };
const time = new Date('2026-01-02T03:04:05Z');

function format(change: Partial<Message>, style: Partial<MessageStyle> = {}): string {
  return formatMessage({ ...message, ...change }, time, { ...piped, ...style }).toString();
}

test('a topic cannot pass for another line or command the terminal', () => {
  assert.equal(format({ topic: 'a\u001b[31m\nb/c x' }), 'a\\u001b[31m\\u000ab/c x x\n');
  assert.equal(format({ topic: 'a\u202ebc\u009b' }), 'a\\u202ebc\\u009b x\n');
});

test('a payload cannot command the terminal, but keeps its lines', () => {
  const payload = Buffer.from('one\n\ttwo\u001b]0;title\u0007\r');
  assert.equal(format({ payload }, { terminal: true, verbose: false }), 'one\n\ttwo\\u001b]0;title\\u0007\\u000d\n');
});

test('a payload that is piped stays as it is', () => {
  const payload = Buffer.from('\u001b[31mred');
  assert.equal(format({ payload }, { verbose: false }), '\u001b[31mred\n');
});

test('bytes that are no UTF-8, or hold U+0000, are hexadecimal', () => {
  assert.equal(format({ payload: Buffer.from([0xc3, 0x28]) }, { verbose: false }), '0xc328\n');
  assert.equal(format({ payload: Buffer.from('a\0') }, { verbose: false }), '0x6100\n');
});

test('raw adds nothing', () => {
  assert.deepEqual(formatMessage(message, time, { ...piped, format: 'raw' }), message.payload);
});

test('JSON is one line whatever is in it, and reads back as it was', () => {
  const payload = 'line\nline\u007f\u009b\u202e"\\';
  const line = format({ payload: Buffer.from(payload) }, { format: 'json' });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
  assert.match(line, /^[^\u0000-\u001f\u007f-\u009f\u202e]+\n$/);
  assert.equal(JSON.parse(line).payload, payload);
  assert.equal(JSON.parse(line).time, '2026-01-02T03:04:05.000Z');
});
