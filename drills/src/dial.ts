import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Address } from './broker/broker.js';
import { sourceAddress } from './knock.js';

/** A socket to a broker, from one of many addresses; with TLS where the address asks for it. */
export function dial(address: Address, from: number): Socket {
  const { host, port, tls } = address;
  const localAddress = sourceAddress(address, from);
  const options = { host, port, ...(localAddress === undefined ? {} : { localAddress }) };
  return tls === undefined ? connect(options) : connectTls({ ...tls, ...options });
}

/** The source of the `index`th of so many networks, one address of each. */
export function spread(index: number, networks: number): number {
  return (index % networks) << 8;
}
