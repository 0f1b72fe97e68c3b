import type { Socket } from 'node:net';

/** Whoever writes below a stream. */
export interface WriteOwner {
  /** So many bytes that did not leave at once have left, or, with an error number below 0, never will. */
  wrote(length: number, status: number): void;
}

/** What a socket writes with: TCP, or the TLS above it. Closed, it takes nothing more and says so. */
export interface WriteHandle {
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number | undefined;
  writev(request: WriteRequest, pieces: readonly Uint8Array[], allBytes: true): number | undefined;
}

/** A write that is under way; one that left at once leaves its request to the next. */
interface WriteRequest {
  oncomplete?: (this: WriteRequest, status: number) => void;
  owner?: WriteOwner;
  length?: number;
  /** Node.js refers to the memory and does not hold it. */
  held?: unknown;
}

/** What streams of Node.js themselves write with. */
interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

/** `left`: all bytes are gone, and their memory is free. `waits`: the owner will be told. Else the number of an error. */
export type Written = 'left' | 'waits' | number;

const binding = findBinding();
let spare = binding && new binding.WriteWrap();

/** What to write with past the stream of a connected socket; undefined where that is not to be had. */
export function writeHandleOf(socket: Socket): WriteHandle | undefined {
  const { _handle: handle } = socket as Socket & { _handle?: Partial<WriteHandle> | null };
  if (binding === undefined || socket.writableLength > 0) return undefined;
  return typeof handle?.writeBuffer === 'function' && typeof handle.writev === 'function'
    ? (handle as WriteHandle)
    : undefined;
}

/**
 * Hands bytes to the operating system, or to TLS. They must not change until they have left, and nothing else is to be
 * written before: TLS in Node.js ends the process over a second write, where streams, too, make one at a time.
 *
 * A stream makes three objects and a tick of each write, and looks at as many more.
 */
export function writeBelow(handle: WriteHandle, bytes: Uint8Array, owner: WriteOwner): Written {
  const request = spare as WriteRequest;
  return settle(handle.writeBuffer(request, bytes), request, bytes.length, bytes, owner);
}

/** As {@link writeBelow}, for several pieces that follow one another and have so many bytes in all, in one system call. */
export function writeAllBelow(
  handle: WriteHandle,
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
  const { streamBaseState, kLastWriteWasAsync, WriteWrap } = binding as StreamBinding;
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

function findBinding(): StreamBinding | undefined {
  const { binding: find } = process as unknown as { binding?: (name: string) => Partial<StreamBinding> };
  try {
    const found = find?.('stream_wrap');
    const isWhole =
      typeof found?.WriteWrap === 'function' &&
      found.streamBaseState instanceof Int32Array &&
      typeof found.kLastWriteWasAsync === 'number';
    return isWhole ? (found as StreamBinding) : undefined;
  } catch {
    return undefined;
  }
}
