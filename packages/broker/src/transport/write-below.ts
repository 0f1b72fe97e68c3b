import { type StreamHandle, streamBinding } from './stream-handle.js';

/** Whoever writes below a stream. */
export interface WriteOwner {
  /** So many bytes that did not leave at once have left, or, with an error number below 0, never will. */
  wrote(length: number, status: number): void;
}

/** A write that is under way; one that left at once leaves its request to the next. */
interface WriteRequest {
  oncomplete?: (this: WriteRequest, status: number) => void;
  owner?: WriteOwner;
  length?: number;
  /** Node.js refers to the memory and does not hold it. */
  held?: unknown;
}

/** `left`: all bytes are gone, and their memory is free. `waits`: the owner will be told. Else the number of an error. */
export type Written = 'left' | 'waits' | number;

let spare: WriteRequest | undefined = streamBinding && new streamBinding.WriteWrap();

/**
 * Hands bytes to the operating system, or to TLS. They must not change until they have left, and nothing else is to be
 * written before: TLS in Node.js ends the process over a second write, where streams, too, make one at a time.
 *
 * A stream makes three objects and a tick of each write, and looks at as many more.
 */
export function writeBelow(handle: StreamHandle, bytes: Uint8Array, owner: WriteOwner): Written {
  const request = spare as WriteRequest;
  return settle(handle.writeBuffer(request, bytes), request, bytes.length, bytes, owner);
}

/** As {@link writeBelow}, for several pieces that follow one another and have so many bytes in all, in one system call. */
export function writeAllBelow(
  handle: StreamHandle,
  pieces: readonly Uint8Array[],
  length: number,
  owner: WriteOwner,
): Written {
  const request = spare as WriteRequest;
  return settle(handle.writev(request, pieces, true), request, length, pieces, owner);
}

function settle(
  error: number | undefined,
  request: WriteRequest,
  length: number,
  held: unknown,
  owner: WriteOwner,
): Written {
  if (error !== 0) return error ?? closed;
  const { streamBaseState, kLastWriteWasAsync, WriteWrap } = streamBinding as NonNullable<typeof streamBinding>;
  if (streamBaseState[kLastWriteWasAsync] === 0) return 'left';
  request.oncomplete = completed;
  request.owner = owner;
  request.length = length;
  request.held = held;
  spare = new WriteWrap();
  return 'waits';
}

/** Of a handle that is gone: EBADF. */
const closed = -9;

function completed(this: WriteRequest, status: number): void {
  this.held = undefined;
  this.owner?.wrote(this.length ?? 0, status);
}
