import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { cleanUpAtExit } from '@moat/testkit';
import { forgetOwner, readBelow } from '../../dist/transport/read-below.js';
import { readBuffer, readInto } from '../../dist/transport/read-into.js';
import { type StreamHandle, streamHandleOf } from '../../dist/transport/stream-handle.js';
import { securePair, socketPair } from '../support/socket-pair.js';

cleanUpAtExit();

/** A socket that is read below its stream, and who writes to it. */
async function reading(make: typeof socketPair) {
  const { client, socket, close } = await make();
  const handle = streamHandleOf(socket) as StreamHandle;
  const aside: number[] = [];
  assert.ok(readInto(socket, (length) => aside.push(length) > 0));
  const reads: string[] = [];
  const seen = { into: readBuffer as Uint8Array, next: undefined as Uint8Array | undefined, heard: () => {} };
  const read = (length: number): Uint8Array | undefined => {
    reads.push(Buffer.from(seen.into.subarray(0, length)).toString());
    seen.into = seen.next ?? seen.into;
    seen.heard();
    return seen.next;
  };
  assert.ok(readBelow(handle, { read }));
  socket.on('data', () => assert.fail('a stream event'));
  const write = (text: string): Promise<void> =>
    new Promise((resolve) => {
      seen.heard = resolve;
      client.write(text);
    });
  return { client, socket, handle, reads, aside, seen, write, close };
}

for (const [kind, make] of [
  ['TCP', socketPair],
  ['TLS', securePair],
] as const) {
  describe(`Reading over ${kind} below the stream`, () => {
    it('tells who reads of each read, and nobody else, and pauses', async () => {
      const { client, socket, reads, aside, write, close } = await reading(make);
      for (const text of ['one', 'two']) {
        socket.pause();
        const done = write(text);
        socket.resume();
        await done;
      }
      assert.deepEqual([reads, aside], [['one', 'two'], []]);
      client.destroy();
      close();
    });

    it('goes on in the memory that it is given', async () => {
      const { client, socket, reads, seen, write, close } = await reading(make);
      socket.resume();
      seen.next = Buffer.alloc(3);
      await write('one');
      seen.next = undefined;
      await write('two');
      await write('end');
      assert.deepEqual(reads, ['one', 'two', 'end']);
      assert.equal(Buffer.from(seen.into).toString(), 'end');
      client.destroy();
      close();
    });

    it('leaves the end to the stream', async () => {
      const { client, socket, close } = await reading(make);
      socket.resume();
      client.end();
      await once(socket, 'end');
      await once(socket, 'close');
      close();
    });

    it('holds nobody who has been let go of', async () => {
      const { client, socket, handle, reads, aside, write, close } = await reading(make);
      socket.resume();
      await write('one');
      forgetOwner(handle);
      void write('two');
      client.end();
      await once(socket, 'close');
      assert.deepEqual([reads, aside], [['one'], []]);
      close();
    });

    it('is not to be had where somebody else reads past the stream', async () => {
      const { client, handle, close } = await reading(make);
      assert.equal(readBelow(handle, { read: () => undefined }), false);
      client.destroy();
      close();
    });
  });
}

describe('Reading below the stream of a connection that breaks', () => {
  it('leaves that to the stream', async () => {
    const { client, socket, close } = await reading(socketPair);
    socket.resume();
    client.resetAndDestroy();
    const [error] = await once(socket, 'error');
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNRESET');
    close();
  });
});
