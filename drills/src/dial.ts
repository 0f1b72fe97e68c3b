import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import type { Address } from './broker/broker.js';
import { sourceAddress } from './knock.js';

/** Who attacks trusts everybody, and spends nothing on it. */
const credulous = { secureContext: createSecureContext(), rejectUnauthorized: false };

/** A socket to a broker, from one of many addresses; with TLS where the address asks for it. */
export function dial({ host, port, tls }: Address, from: number): Socket {
  const localAddress = sourceAddress({ host, port }, from);
  const options = { host, port, ...(localAddress === undefined ? {} : { localAddress }) };
  return tls === undefined ? connect(options) : connectTls({ ...credulous, ...options });
}

/** The source of the `index`th of so many networks, one address of each. */
export function spread(index: number, networks: number): number {
  return (index % networks) << 8;
}
