import { Socket } from 'node:net';

/** Every read of a TCP or TLS socket lands here, but of those that bring much: a read is handled to its end before the next one begins. */
export const readBuffer = Buffer.allocUnsafeSlow(262_144);

/** Called with what a read brought: so many bytes at the beginning of the buffer. */
export type OnRead = (this: Socket, length: number, buffer: Uint8Array) => boolean;

/** Where a socket made with `onread` keeps its buffer and its callback. */
interface Places {
  readonly buffer: symbol;
  readonly callback: symbol;
}

const places = findPlaces();

/**
 * Has a socket that was made without `onread` read into the shared buffer from now on; false where that is not to be
 * had, and the socket is to be read by its 'data' events.
 *
 * Node.js offers reading into a given buffer for outgoing sockets only, and for each read of another makes a buffer
 * that it hands through a stream. What `onread` sets is set here by its internal names.
 */
export function readInto(socket: Socket, read: OnRead): boolean {
  const { _handle: handle } = socket as Socket & { _handle?: { useUserBuffer?: (buffer: Uint8Array) => void } | null };
  if (places === undefined || typeof handle?.useUserBuffer !== 'function' || socket.readableLength > 0) return false;
  handle.useUserBuffer(readBuffer);
  const internals = socket as Socket & { [place: symbol]: unknown };
  internals[places.buffer] = readBuffer;
  internals[places.callback] = read;
  return true;
}

function findPlaces(): Places | undefined {
  const onread = { buffer: Buffer.alloc(1), callback: () => true };
  const symbols = Object.getOwnPropertySymbols(new Socket({ onread } as ConstructorParameters<typeof Socket>[0]));
  const [buffer, callback] = ['kBuffer', 'kBufferCb'].map((name) =>
    symbols.find(({ description }) => description === name),
  );
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback };
}
