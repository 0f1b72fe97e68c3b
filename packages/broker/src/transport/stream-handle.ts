import type { Socket } from 'node:net';

/**
 * What a connected socket reads and writes with below its stream: TCP, or the TLS above it. Closed, it takes nothing more and says
 * so. Its names are internal ones of Node.js.
 */
export interface StreamHandle {
  writeBuffer(request: object, bytes: Uint8Array): number | undefined;
  writev(request: object, pieces: readonly Uint8Array[], allBytes: true): number | undefined;
  /** Called with each read, and with what ends them; that of all streams of Node.js is the same. */
  onread: OnStreamRead;
}

/** How much came, or the number of an error, is in the state of the binding; what comes next is read into what is returned, if it is anything. */
export type OnStreamRead = (this: StreamHandle, bytes: ArrayBuffer | undefined) => Uint8Array | undefined;

/** What streams of Node.js themselves read and write with. */
interface StreamBinding {
  readonly WriteWrap: new () => object;
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
  readonly kReadBytesOrError: number;
}

export const streamBinding = findBinding();

/** What to read and write with past the stream of a socket; undefined where that is not to be had, or the stream has bytes to write. */
export function streamHandleOf(socket: Socket): StreamHandle | undefined {
  const { _handle: handle } = socket as Socket & { _handle?: Partial<StreamHandle> | null };
  if (streamBinding === undefined || socket.writableLength > 0) return undefined;
  const isWhole = [handle?.writeBuffer, handle?.writev, handle?.onread].every((each) => typeof each === 'function');
  return isWhole ? (handle as StreamHandle) : undefined;
}

function findBinding(): StreamBinding | undefined {
  const { binding: find } = process as unknown as { binding?: (name: string) => Partial<StreamBinding> };
  try {
    const found = find?.('stream_wrap');
    const isWhole =
      typeof found?.WriteWrap === 'function' &&
      found.streamBaseState instanceof Int32Array &&
      typeof found.kLastWriteWasAsync === 'number' &&
      typeof found.kReadBytesOrError === 'number';
    return isWhole ? (found as StreamBinding) : undefined;
  } catch {
    return undefined;
  }
}
