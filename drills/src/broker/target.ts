import type { Broker, Credentials } from './broker.js';
import { accepts } from './prepared.js';

/**
 * A broker that somebody else has started, at `HOST:PORT`. A drill is an attack: it is for the caller to judge whether that may be
 * attacked.
 *
 * @throws Error when it is no such text
 */
export function targetAt(text: string, legitimate: Credentials | undefined): Broker {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const named = bracketed ?? plain ?? '';
  const port = Number(digits);
  if (named === '' || !(port > 0 && port < 65_536))
    throw new Error(`'${text}' is not HOST:PORT, such as 127.0.0.1:1883`);
  // Names of this machine may lead anywhere, this one too: it is not looked up.
  const host = named.toLowerCase() === 'localhost' ? '127.0.0.1' : named;
  const address = { host, port };
  return {
    name: text,
    address,
    secure: undefined,
    legitimate,
    insider: { credentials: legitimate, topic: `devices/${legitimate?.username ?? 'anybody'}/drill` },
    pids: [],
    isAlive: () => accepts(address),
  };
}
