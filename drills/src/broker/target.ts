import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Broker, Credentials } from './broker.js';
import { accepts } from './prepared.js';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/**
 * A broker that somebody else has started, `HOST:PORT` on a loopback address.
 *
 * @throws Error for any other address: a drill is an attack
 */
export function targetAt(text: string, legitimate: Credentials | undefined): Broker {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const named = bracketed ?? plain ?? '';
  const port = Number(digits);
  if (named === '' || !(port > 0 && port < 65_536))
    throw new Error(`'${text}' is not HOST:PORT, such as 127.0.0.1:1883`);
  // A name may lead anywhere, this one too: it is not looked up.
  const host = named.toLowerCase() === 'localhost' ? '127.0.0.1' : named;
  if (isIP(host) === 0 || !loopback.check(host, isIPv6(host) ? 'ipv6' : 'ipv4'))
    throw new Error(`${named} is not a loopback address: drills attack brokers of this machine alone`);
  const address = { host, port };
  return { name: text, address, legitimate, pids: [], isAlive: () => accepts(address) };
}
