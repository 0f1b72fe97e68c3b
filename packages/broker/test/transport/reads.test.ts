import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { borrow, type Lendable, takeLendable } from '../../dist/transport/lendable.js';
import { readBuffer } from '../../dist/transport/read-into.js';
import { SocketWire } from '../../dist/transport/socket-wire.js';
import { socketPair } from '../support/socket-pair.js';

/** A wire and who writes to it, with what its last read went into and whether what it has read is what was written. */
async function reading(asks = true) {
  const { client: peer, socket, close } = await socketPair();
  const origin = { protocol: 'mqtt', listener: '', remoteAddress: '', remotePort: 0, admitted: undefined } as const;
  const wire = SocketWire.overStream(socket, { ...origin, tls: undefined });
  const seen = { bytes: 0, wrong: 0, buffer: undefined as Uint8Array | undefined, freeAtMost: 0, isClosed: false };
  wire.start({
    received(buffer, start, end) {
      for (let at = start; at < end; at++) if (buffer[at] !== (seen.bytes + at - start) % 251) seen.wrong++;
      seen.bytes += end - start;
      seen.buffer = buffer;
      if (asks) borrow(buffer, start, end)?.free();
      if (buffer !== readBuffer) seen.freeAtMost = free();
    },
    keeps: () => undefined,
    drained: () => undefined,
    closed: () => {
      seen.isClosed = true;
    },
  });
  let written = 0;
  /** Writes so many bytes, and waits until they have been read. */
  const write = async (length: number): Promise<void> => {
    peer.write(Buffer.from({ length } as ArrayLike<number>).map((_, index) => (written + index) % 251));
    written += length;
    await waitFor(() => seen.bytes === written);
  };
  return { peer, seen, write, close };
}

/** How many are free. */
function free(): number {
  const taken: Lendable[] = [];
  for (let one = takeLendable(); one !== undefined; one = takeLendable()) taken.push(one);
  for (const one of taken) one.isTaken = false;
  return taken.length;
}

describe('A socket whose peer sends much', () => {
  it('reads into memory that can be lent, as long as much comes, and gives it back then and when it closes', async () => {
    const before = free();
    const { peer, seen, write, close } = await reading();
    await write(100);
    assert.equal(seen.freeAtMost, 0);
    const much = async (): Promise<void> => {
      seen.freeAtMost = 0;
      for (let writes = 0; writes < 50 && seen.freeAtMost === 0; writes++) await write(4_000_000);
      assert.equal(seen.freeAtMost, before - 1);
    };
    await much();
    for (let writes = 0; writes < 3; writes++) await write(100);
    assert.equal(seen.buffer, readBuffer);
    assert.equal(free(), before);
    await much();
    peer.destroy();
    await waitFor(() => seen.isClosed);
    assert.equal(free(), before);
    assert.equal(seen.wrong, 0);
    close();
  });

  it('reads on into the shared memory where nothing would be borrowed', async () => {
    const { peer, seen, write, close } = await reading(false);
    for (let writes = 0; writes < 10; writes++) await write(4_000_000);
    assert.equal(seen.freeAtMost, 0);
    peer.destroy();
    close();
  });
});
