import { type OnStreamRead, type StreamHandle, streamBinding } from './stream-handle.js';

/** Whoever reads below a stream. */
export interface ReadOwner {
  /** So many bytes have come, at the beginning of what is read into. Returns what is read into from now on, if it is something else. */
  read(length: number): Uint8Array | undefined;
}

/** On the handle itself, which is at hand: whatever else is looked at for each message is in no cache, where there are hundreds of clients. */
const owner = Symbol('owner');
interface OwnedHandle extends StreamHandle {
  [owner]?: ReadOwner | undefined;
}

let ofStreams: OnStreamRead | undefined;

/**
 * Has each read of a socket that reads into memory of ours call its owner, past the stream, which looks at the socket, at its timer and at
 * the state of both its sides. What is no read, such as an end, is the stream's as before. False where that is not to be had.
 */
export function readBelow(handle: StreamHandle, reader: ReadOwner): boolean {
  ofStreams ??= handle.onread;
  if (handle.onread !== ofStreams) return false;
  (handle as OwnedHandle)[owner] = reader;
  handle.onread = onRead;
  return true;
}

/** The handle has been closed: it lets go of who read. */
export function forgetOwner(handle: StreamHandle): void {
  (handle as OwnedHandle)[owner] = undefined;
}

function onRead(this: OwnedHandle, bytes: ArrayBuffer | undefined): Uint8Array | undefined {
  const { streamBaseState, kReadBytesOrError } = streamBinding as NonNullable<typeof streamBinding>;
  const length = streamBaseState[kReadBytesOrError] as number;
  return length > 0 ? this[owner]?.read(length) : ofStreams?.call(this, bytes);
}
