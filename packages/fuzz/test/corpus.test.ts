import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { temporaryDirectory } from '@moat/testkit';
import { corpusDirectory, readCorpus, readSequence, writeSequence } from '../dist/corpus.js';
import { replay } from '../dist/investigate.js';

describe('The corpus', () => {
  for (const { name, about, conversations } of readCorpus(corpusDirectory))
    it(`${name}: ${about}`, async (t) => {
      assert.equal(
        await replay(conversations, { guarding: 'allowed', directory: await temporaryDirectory(t) }),
        undefined,
      );
    });

  it('gives back what was written', async (t) => {
    const conversation = { listener: 'ws', ending: 'reset', chunks: [Buffer.from('c000', 'hex')], packets: 1 } as const;
    const file = writeSequence(await temporaryDirectory(t), 'one', { about: 'a ping', conversations: [conversation] });
    assert.deepEqual(readSequence(file), { about: 'a ping', conversations: [conversation] });
  });
});
