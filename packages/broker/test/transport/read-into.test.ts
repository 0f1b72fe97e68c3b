import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { readInto } from '../../dist/transport/read-into.js';
import { socketPair } from '../support/socket-pair.js';

describe('Reading into the shared buffer', () => {
  it('begins on a socket that was made without, and pauses and ends as others do', async () => {
    const { client, socket, close } = await socketPair();
    const reads: string[] = [];
    let heard: () => void = () => {};
    assert.equal(
      readInto(socket, (length, buffer) => {
        reads.push(Buffer.from(buffer.subarray(0, length)).toString());
        heard();
        return true;
      }),
      true,
    );
    socket.on('data', () => assert.fail('a stream event'));
    const next = (): Promise<void> =>
      new Promise((resolve) => {
        heard = resolve;
      });
    for (const text of ['one', 'two']) {
      socket.pause();
      client.write(text);
      const done = next();
      socket.resume();
      await done;
    }
    assert.deepEqual(reads, ['one', 'two']);
    client.end();
    await once(socket, 'close');
    close();
  });

  it('is not to be had of a socket without a handle', () => {
    assert.equal(
      readInto(new Socket(), () => true),
      false,
    );
  });
});
