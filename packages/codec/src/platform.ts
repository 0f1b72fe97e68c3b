/** What the host offers beyond ECMAScript. Declared here because this package depends on no host's types. */
interface Host {
  TextDecoder: new (
    label: 'utf-8',
    options: { fatal: boolean; ignoreBOM: boolean },
  ) => { decode(bytes: Uint8Array): string };
  /** Node.js only. */
  Buffer?: {
    allocUnsafeSlow(size: number): Uint8Array<ArrayBuffer>;
    prototype: { latin1Slice?(this: Uint8Array, start: number, end: number): string };
  };
}

const host = globalThis as unknown as Host;
const latin1Slice = host.Buffer?.prototype.latin1Slice;

// ignoreBOM means "do not strip it" [MQTT-1.5.4-3] [MQTT3-1.5.3-3]
const decoder = new host.TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Memory of its own and of undefined content: every byte that is handed out must have been written. */
export const allocate: (size: number) => Uint8Array<ArrayBuffer> =
  host.Buffer === undefined ? (size) => new Uint8Array(size) : host.Buffer.allocUnsafeSlow;

/** Strict UTF-8 to string; a byte order mark is kept. Throws TypeError on an ill-formed sequence. */
export function decodeStrictUtf8(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

/** Bytes known to be ASCII to string. */
export const decodeAscii: (bytes: Uint8Array, start: number, end: number) => string =
  latin1Slice === undefined ? decodeStrictUtf8 : (bytes, start, end) => latin1Slice.call(bytes, start, end);
