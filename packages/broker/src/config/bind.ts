import { isIPv4 } from 'node:net';

/** The `bind` of a listener on every address of the machine, IPv4 and IPv6. */
export const everyAddress = '*';

/** What to give to `net.Server.listen` as `host`: undefined stands for every address, whether or not there is IPv6. */
export function hostOf(bind: string): string | undefined {
  return bind === everyAddress ? undefined : bind;
}

/** Whether only this machine reaches a listener bound there. */
export function isLoopback(bind: string): boolean {
  return bind === 'localhost' || bind === '::1' || (isIPv4(bind) && bind.startsWith('127.'));
}
