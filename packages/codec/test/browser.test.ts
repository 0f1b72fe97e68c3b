import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const modules = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));

test('The package imports nothing but its own files', () => {
  assert.ok(modules.length > 20);
  for (const name of modules) {
    const source = readFileSync(join(dist, name), 'utf8');
    for (const [, specifier = ''] of source.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
      assert.match(specifier, /^\.\.?\//, name);
    }
  }
});

test('Packets are encoded and parsed in a host that has no Buffer', () => {
  const script = `
    const { Buffer } = globalThis;
    delete globalThis.Buffer;
    const { encode, Parser } = await import(process.argv[1]);
    const packets = [
      { type: 1, version: 5, cleanStart: true, keepAlive: 0, clientId: 'a browser' },
      { type: 3, topic: 'ascii', payload: new Uint8Array(3), qos: 0, retain: false, dup: false, packetId: 0 },
      { type: 3, topic: 'grüße/🌍', payload: new Uint8Array(3), qos: 0, retain: false, dup: false, packetId: 0 },
    ];
    const seen = [];
    const receiver = { publish: (publish) => seen.push(publish.topic), packet: (packet) => seen.push(packet.clientId) };
    const parser = new Parser(receiver, { role: 'server', maximumPacketSize: 1000, maximumUserProperties: 10 });
    for (const packet of packets) parser.feed(encode(packet, 5));
    globalThis.Buffer = Buffer;
    console.log(JSON.stringify(seen));
  `;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script, join(dist, 'index.js')], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.equal(run.stderr, '');
  assert.deepEqual(JSON.parse(run.stdout), ['a browser', 'ascii', 'grüße/🌍']);
});
