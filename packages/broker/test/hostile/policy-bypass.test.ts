import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it, test } from 'node:test';
import { needs, startMosquitto, temporaryDirectory } from '@moat/testkit';
import { startBroker } from '../support/broker.js';
import { publish, subscribe } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';
import { accessList, attempts, Stage, users } from './policy-bypass.js';

/** Names that may not be are left out: nobody could log in by them. */
const named = users.filter((name) => /^\w+$/.test(name));
const files = { acl: accessList, passwords: await passwordFile(Object.fromEntries(named.map((name) => [name, 'x']))) };
const strict = { authorization: { acl_file: 'acl' }, authentication: { allow_anonymous: false } };
const { port, stop } = await startBroker(strict, { files });
const stage = await Stage.open(port);
after(stop);

describe('A way round the policy', () => {
  for (const { name, versions, right, evades } of attempts)
    for (const version of versions)
      it(`${name}, version ${version}: ${right}`, async () => assert.equal(await evades(stage, version), false));

  it('would be seen: what is allowed gets through', async () => {
    const speaker = await stage.mallory(5);
    assert.equal(await stage.speaks(speaker, publish(5, 'open/a', 'LEAK')), true);
    assert.equal(await stage.hears(await stage.mallory(5), subscribe(5, 1, { 'open/#': 0 }), 'open/a'), true);
    const own = await stage.mallory(5);
    assert.equal(
      await stage.speaks(own, publish(5, 'own/mallory/x', 'LEAK') + publish(5, 'clients/mallory/x', 'x')),
      true,
    );
  });
});

test('The same attempts with Mosquitto, for comparison', needs('mosquitto'), async (t) => {
  const file = join(await temporaryDirectory(t), 'acl');
  await writeFile(file, accessList, { mode: 0o644 });
  const lines = [`acl_file ${file}`, 'max_queued_messages 1000', 'set_tcp_nodelay true'];
  const { port } = await startMosquitto(t, { lines });
  const theirs = await Stage.open(port);
  const evaded: string[] = [];
  let tried = 0;
  for (const { name, versions, evades } of attempts) {
    for (const version of versions) {
      tried++;
      if (await evades(theirs, version)) evaded.push(`${name}, version ${version}`);
    }
  }
  t.diagnostic(`${tried} attempts, ${evaded.length} succeed with Mosquitto: ${evaded.join('; ')}`);
  // The means by which they are made work there, too.
  assert.equal(await theirs.speaks(await theirs.mallory(4), publish(4, 'open/a', 'LEAK')), true);
});
