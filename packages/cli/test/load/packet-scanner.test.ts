import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketScanner, ReadMemory } from '../../dist/load/packet-scanner.js';
import { connectPacket, disconnectPacket, publishPacket, subscribePacket } from '../../dist/load/packets.js';

const packets = [
  connectPacket('c', { host: 'localhost', port: 1, username: 'u', password: 'p' }, true),
  subscribePacket('bench/+', 1),
  publishPacket('bench/1', 0, 1, 20, 7),
  publishPacket('bench/1', 2, 2, 300, 7),
  disconnectPacket,
];

/** What a scanner finds in `bytes` when they are read in pieces of `size`. */
function scanned(bytes: Buffer, size: number, memory: ReadMemory): Buffer[] {
  const found: Buffer[] = [];
  const scanner = new PacketScanner(memory, (header, start, end) => {
    found.push(Buffer.concat([Buffer.from([header]), memory.bytes.subarray(start, end)]));
  });
  for (let at = 0; at < bytes.length; at += size) scanner.scan(bytes.copy(memory.area, 0, at, at + size));
  return found;
}

test('finds the same packets wherever the bytes are cut', () => {
  const bytes = Buffer.concat(packets);
  const whole = scanned(bytes, bytes.length, new ReadMemory(1024));
  assert.equal(whole.length, packets.length);
  for (let size = 1; size < bytes.length; size++) {
    assert.deepEqual(scanned(bytes, size, new ReadMemory(1024)), whole, `in pieces of ${size}`);
  }
});

test('keeps the connections apart that share one memory', () => {
  const memory = new ReadMemory(1024);
  const lengths = new Map<string, number[]>();
  const scanners = ['a', 'b'].map((name) => {
    const found: number[] = [];
    lengths.set(name, found);
    return new PacketScanner(memory, (_, start, end) => found.push(end - start));
  });
  const bytes = Buffer.concat(packets);
  for (let at = 0; at < bytes.length; at++) {
    for (const scanner of scanners) scanner.scan(bytes.copy(memory.area, 0, at, at + 1));
  }
  assert.equal(lengths.get('a')?.length, packets.length);
  assert.deepEqual(lengths.get('a'), lengths.get('b'));
});

test('refuses a packet that is larger than the memory was made for', () => {
  assert.throws(() => scanned(publishPacket('t', 0, 1, 2000, 0), 1500, new ReadMemory(1024)), /larger than the 1024/);
});

test('refuses a length of more than four bytes', () => {
  assert.throws(() => scanned(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]), 6, new ReadMemory(64)), /four bytes/);
});
