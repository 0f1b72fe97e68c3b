/** In a process whose files may not grow: a broker that is to let nobody in, or to serve on (the argument), meanwhile. */
import assert from 'node:assert/strict';
import { limitFiles, waitFor } from '@moat/testkit';
import { connected, startBroker } from '../support/broker.js';

const [rule] = process.argv.slice(2) as ['continue' | 'refuse'];
const { broker, port, stop } = await startBroker({ audit: { when_unwritable: rule } });
const isServed = async (): Promise<boolean> => {
  const client = await connected(port, 4).catch(() => undefined);
  client?.end();
  return client !== undefined;
};

assert.ok(await isServed());
limitFiles(1_000);
await waitFor(async () => {
  await isServed();
  return broker.status().events['audit.failing'] === 1;
});
assert.equal(await isServed(), rule === 'continue');
limitFiles('unlimited');
await waitFor(() => broker.status().events['audit.recovered'] === 1);
assert.ok(await isServed());
await stop();
