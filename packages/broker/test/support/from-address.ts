import { once } from 'node:events';
import { connect } from 'node:net';
import { RawClient } from './raw-client.js';

/** A client that comes from one of the many loopback addresses. */
export async function connectFrom(address: string, port: number, host = '127.0.0.1'): Promise<RawClient> {
  const socket = connect({ host, port, localAddress: address });
  await once(socket, 'connect');
  return RawClient.over(socket);
}
