import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { temporaryDirectory, waitFor } from '@moat/testkit';
import { campaign } from '../dist/campaign.js';
import { conversationOf } from '../dist/conversation/conversation.js';
import { investigate, replay } from '../dist/investigate.js';
import { Finding } from '../dist/play.js';

const seed = 1;

test('a broker that is told a million mutated packets serves all the time, and gives everything back', async (t) => {
  const [packets, steps] = [1_000_000, 20];
  let reached = 0;
  const directory = await temporaryDirectory(t);
  const running = campaign({ packets, seed, guarding: 'allowed', directory }, (sent) => {
    reached = sent;
  });
  running.catch(() => {}); // awaited below
  for (let step = 1; step <= steps; step++)
    await t.test(`${(step * packets) / steps} packets`, async () => {
      const isThere = () => reached >= (step * packets) / steps;
      await Promise.race([running, waitFor(isThere, { timeout: 55_000, what: `step ${step}` })]);
    });
  const { read, served, conversations } = await running;
  assert.ok(read > packets / 4 && served > 100 && conversations > 10_000, 'enough was tried to be worth the name');
});

test('under the default limits strangers who fuzz keep nobody else from being served', async (t) => {
  const directory = await temporaryDirectory(t);
  const { served } = await campaign({ packets: 20_000, seed, guarding: 'strangers', directory });
  assert.ok(served > 10);
});

describe('A fault', () => {
  const preload = new URL('planted-fault.js', import.meta.url).href;

  it('is found, and shrunk to the one conversation and the piece of it that brings it about', async (t) => {
    const setup = { guarding: 'allowed', directory: await temporaryDirectory(t), preload } as const;
    const finding = await campaign({ packets: 100_000, seed, ...setup }).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(finding instanceof Finding, String(finding));
    assert.match(finding.message, /"event":"broker\.fault".*planted/);
    const fewest = await investigate(new Finding(finding.message, finding.conversations.slice(-48)), setup);
    assert.equal(fewest.length, 1);
    const [{ chunks } = { chunks: [] }] = fewest;
    assert.equal(chunks.length, 1);
    assert.match(String(await replay(fewest, setup)), /planted/);
    assert.equal(await replay(fewest, { guarding: 'allowed', directory: setup.directory }), undefined);
  });
});

test('a seed and a number always give the same conversation', () => {
  for (const index of [0, 1, 77]) assert.deepEqual(conversationOf(3, index), conversationOf(3, index));
  assert.notDeepEqual(conversationOf(3, 0), conversationOf(4, 0));
});
