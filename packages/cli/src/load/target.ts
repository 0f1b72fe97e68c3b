import net from 'node:net';
import tls from 'node:tls';

/** The broker that a load is put on, and who its clients say they are. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  /** TLS with full verification: `ca` in PEM (the system's certificate authorities without it), the name to expect. */
  readonly tls?: {
    readonly ca?: string;
    readonly servername?: string;
    /** The least accepted: TLS 1.3 unless given. */
    readonly minVersion?: tls.SecureVersion;
    /** PEM of the certificates that clients show, each its own, in turn; without one they show none. */
    readonly clients?: readonly ClientCertificate[];
  };
}

export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Called for every read with the number of bytes that now lie at the start of the memory given to {@link dial}. */
export type OnRead = (length: number) => void;

/** Reading the certificates again would cost more than a handshake. */
const contexts = new WeakMap<Target, { readonly all: readonly tls.SecureContext[]; next: number }>();

/**
 * Opens a connection to `target` that reads into `memory`. Each TLS connection is a full handshake: no session is kept.
 * 'connect' or 'secureConnect', 'error' and 'close' are the caller's to listen to.
 */
export function dial(target: Target, memory: Buffer, onRead: OnRead): net.Socket {
  const { host, port } = target;
  const onread = {
    buffer: memory,
    callback: (length: number): boolean => {
      onRead(length);
      return true;
    },
  };
  if (target.tls === undefined) return net.connect({ host, port, noDelay: true, onread });

  const { servername } = target.tls;
  const name = servername ?? (net.isIP(host) ? undefined : host);
  const options = { host, port, noDelay: true, onread, secureContext: contextOf(target) };
  return tls.connect(name === undefined ? options : { ...options, servername: name });
}

/** One context for all connections to a target that show the same certificate, or none. */
function contextOf(target: Target): tls.SecureContext {
  const { ca, clients = [{}], minVersion = 'TLSv1.3' } = target.tls ?? {};
  let made = contexts.get(target);
  if (made === undefined) {
    const common = { minVersion, ...(ca === undefined ? {} : { ca }) };
    made = { all: clients.map((client) => tls.createSecureContext({ ...common, ...client })), next: 0 };
    contexts.set(target, made);
  }
  return made.all[made.next++ % made.all.length] as tls.SecureContext;
}
