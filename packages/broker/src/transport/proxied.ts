import type { Socket } from 'node:net';
import { type ProxiedSource, type ProxyVersion, parseProxyHeader } from './proxy-header.js';

/** From whom a listener takes headers of the PROXY protocol, and which. */
export interface ProxyOptions {
  readonly versions: readonly ProxyVersion[];
  /** Milliseconds for the whole header, however it trickles. */
  readonly deadline: number;
  trusts(address: string): boolean;
}

/** `left` is one that said nothing: a proxy looks in that way whether somebody listens. */
export type ProxyResult = { readonly source: ProxiedSource } | { readonly invalid: string } | 'left';

/**
 * Reads the header off a socket; what follows it stays there to be read.
 * @param done called once: with the source, or with why there is none
 */
export function readProxyHeader(
  socket: Socket,
  { versions, deadline }: ProxyOptions,
  done: (result: ProxyResult) => void,
): void {
  let bytes = Buffer.alloc(0);
  const timer = setTimeout(() => finish({ invalid: 'no whole PROXY header in time' }), deadline);
  const ended = (): void => finish(bytes.length === 0 ? 'left' : { invalid: 'closed within the PROXY header' });
  const readable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    bytes = Buffer.concat([bytes, chunk]);
    const header = parseProxyHeader(bytes, versions);
    if (header === 'incomplete') return;
    if ('source' in header && bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
    finish(header);
  };
  const finish = (result: ProxyResult): void => {
    clearTimeout(timer);
    socket.off('readable', readable).off('close', ended).off('end', ended);
    done(result);
  };
  socket.on('readable', readable).on('close', ended).on('end', ended);
}
