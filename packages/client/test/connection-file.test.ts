import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';
import { InvalidError, loadConnection } from '@moat/client';

let directory = '';

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'moat-client-'));
});
after(() => rm(directory, { recursive: true }));

async function fileWith(text: string): Promise<string> {
  const file = join(directory, 'connection.json');
  await writeFile(file, text);
  return file;
}

test('a connection file names its certificates relative to itself', async () => {
  await mkdir(join(directory, 'pki'));
  await writeFile(join(directory, 'pki', 'ca.crt'), 'authority');
  const entries = { host: 'broker.example', port: 8883, protocol: 'mqtts', username: 'boiler', ca: 'pki/ca.crt' };
  const options = await loadConnection(await fileWith(JSON.stringify(entries)));
  assert.deepEqual(options, { ...entries, ca: 'authority' });
});

const mistakes = [
  ['text that is not JSON', '{"host": ', /connection\.json:1:\d+: not JSON$/],
  ['text that stops being JSON', '{"host": "a",\n "port": 1 2}', /connection\.json:2:12: not JSON$/],
  ['a password without quotes', '{"password": secret}', /connection\.json:1:\d+: not JSON$/],
  ['something other than an object', '[1]', /connection\.json:1:1: not a JSON object/],
  ['an unknown key', '{\n  "host": "a",\n  "prot": 1\n}', /connection\.json:3:3: unknown key prot/],
  ['the name of an object method', '{"toString": "a"}', /:1:2: unknown key toString/],
  ['a port that is none', '{"host": "a",\n "port": 70000}', /:2:2: port must be a number from 1 to 65535/],
  ['an unknown protocol', '{"protocol": "http"}', /:1:2: protocol must be one of mqtts, mqtt, wss, ws/],
  ['a missing host', '{"port": 1, "protocol": "mqtts"}', /:1:1: host is missing/],
  [
    'a certificate that is not there',
    '{"host":"a","port":1,"protocol":"mqtts",\n"ca":"no.crt"}',
    /:2:1: cannot read.*no\.crt/,
  ],
] as const;

for (const [what, text, message] of mistakes) {
  test(`a connection file with ${what} is refused with its place`, async () => {
    await assert.rejects(loadConnection(await fileWith(text)), (error) => {
      assert.ok(error instanceof InvalidError);
      assert.match(error.message, message);
      assert.ok(!inspect(error).includes('secret'));
      return true;
    });
  });
}

test('a connection file that does not exist is refused by name', async () => {
  await assert.rejects(loadConnection(join(directory, 'none.json')), { code: 'invalid', message: /none\.json/ });
});
