import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { cleanUpAtExit, waitFor, withDeadline } from '@moat/testkit';
import { SocketWire } from '../../dist/transport/socket-wire.js';
import { streamHandleOf } from '../../dist/transport/stream-handle.js';
import { securePair, socketPair } from '../support/socket-pair.js';

/** A wire with its peer, and what it reported. */
interface Pair {
  readonly wire: SocketWire;
  readonly peer: Socket;
  /** The broker's end of it. */
  readonly socket: Socket;
  readonly reports: { drained: number; closed: (Error | undefined)[] };
  close(): void;
}

cleanUpAtExit();

type Kind = 'TCP' | 'TLS' | 'a stream';

async function pair(kind: Kind): Promise<Pair> {
  const { client: peer, socket, close } = await (kind === 'TLS' ? securePair() : socketPair());
  if (kind === 'a stream') socket.cork(); // with something in its stream it is written through that
  if (kind === 'a stream') socket.write('0');
  assert.equal(streamHandleOf(socket) !== undefined, kind !== 'a stream');
  const origin = { protocol: 'mqtt', listener: '', remoteAddress: '', remotePort: 0, admitted: undefined } as const;
  const wire = SocketWire.overStream(socket, { ...origin, tls: kind === 'TLS' ? (socket as TLSSocket) : undefined });
  socket.uncork();
  const reports = { drained: 0, closed: [] as (Error | undefined)[] };
  wire.start({
    received: () => undefined,
    keeps: () => undefined,
    drained: () => reports.drained++,
    closed: (error) => reports.closed.push(error),
  });
  if (kind === 'a stream') await once(peer, 'data');
  peer.pause();
  return { wire, peer, socket, reports, close };
}

/** So much that no socket buffer takes it at once. */
const pieceBytes = 1_000_000;
const pieces = Array.from({ length: 16 }, (_, index) => Buffer.alloc(pieceBytes, index));

/** All pieces arrive, and the wire ends without an error. */
async function endsWhole({ peer, reports, close }: Pair): Promise<void> {
  const read = await readAll(peer);
  assert.ok(read.equals(Buffer.concat(pieces)), `${read.length} bytes`);
  await waitFor(() => reports.closed.length > 0);
  assert.deepEqual(reports.closed, [undefined]);
  close();
}

async function readAll(peer: Socket): Promise<Buffer> {
  const read: Buffer[] = [];
  peer.on('data', (bytes) => read.push(bytes));
  peer.resume();
  await withDeadline(once(peer, 'end'), () => 'the end of what was written', 20_000);
  return Buffer.concat(read);
}

for (const kind of ['TCP', 'TLS', 'a stream'] as const) {
  describe(`Writing over ${kind}`, () => {
    it('tells what waits, and when it has left', async () => {
      const { wire, peer, reports, close } = await pair(kind);
      assert.equal(wire.pending, 0);
      let left = true;
      for (const piece of pieces) left = wire.write(piece, false) && left;
      assert.equal(left, false);
      assert.ok(wire.pending > pieceBytes, `${wire.pending} bytes wait`);
      assert.equal(reports.drained, 0);
      peer.resume();
      await waitFor(() => reports.drained > 0);
      assert.equal(wire.pending, 0);
      const before = reports.drained;
      wire.write(Buffer.from('little'), true);
      await waitFor(() => reports.drained > before);
      wire.destroy();
      close();
    });

    it('brings everything in its order, and closes behind it', async () => {
      const ends = await pair(kind);
      const { wire } = ends;
      wire.write(pieces[0] as Buffer, false);
      wire.writeAll(pieces.slice(1, 8), false);
      for (const piece of pieces.slice(8)) wire.write(piece, false);
      wire.end(false);
      assert.ok(wire.pending > 0);
      assert.equal(wire.write(Buffer.from('too late'), false), true);
      await endsWhole(ends);
    });

    it('cuts off nothing that was sent to a peer that closes its side, and sends nothing more', async () => {
      const ends = await pair(kind);
      const { wire, peer, socket } = ends;
      wire.writeAll(pieces, false);
      peer.end();
      await waitFor(() => socket.readableEnded);
      assert.equal(wire.write(Buffer.from('more'), false), true);
      await endsWhole(ends);
    });

    it('reports once that the peer has gone, however much waited for it', async () => {
      const { wire, peer, reports, close } = await pair(kind);
      for (const piece of pieces) wire.write(piece, false);
      peer.destroy(); // with bytes that it has not read: a reset
      await waitFor(() => reports.closed.length > 0);
      assert.equal(wire.write(Buffer.from('nobody'), true), true);
      assert.equal(wire.writeAll(pieces, true), true);
      assert.equal(reports.closed.length, 1);
      close();
    });
  });
}
