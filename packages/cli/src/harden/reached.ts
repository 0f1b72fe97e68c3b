import { type Configuration, isLoopback, OperatorError } from '@moat/broker';
import type { Installation } from './installation.js';

export type Listener = Configuration['listeners'][number];

/**
 * Listeners that others than this machine reach.
 * @throws OperatorError `config.invalid_value` for one whose port nobody knows beforehand
 */
export function reachedListeners(installation: Installation): Listener[] {
  return withPorts(installation, ({ bind }) => !isLoopback(bind));
}

/**
 * Listeners that a proxy may stand in front of: the same, and those that wait for one.
 * @throws OperatorError as {@link reachedListeners}
 */
export function proxiedListeners(installation: Installation): Listener[] {
  return withPorts(installation, ({ bind, proxy_protocol }) => !isLoopback(bind) || proxy_protocol !== 'off');
}

/** Listeners, each with its port. @throws OperatorError as {@link reachedListeners} */
export function withPorts({ configuration, file }: Installation, isMeant: (listener: Listener) => boolean): Listener[] {
  const meant = configuration.listeners.filter(isMeant);
  const unknown = meant.find(({ port }) => port === 0);
  if (unknown === undefined) return meant;
  const message = `${file ?? 'the configuration'}: the ${unknown.protocol} listener on ${unknown.bind} has port 0, of which nothing can be written`;
  throw new OperatorError('config.invalid_value', message, { hint: 'give it a port' });
}

/** Addresses by their family, as programs want them that keep the two apart. */
export function byFamily(addresses: readonly string[]): { readonly ipv4: string[]; readonly ipv6: string[] } {
  return {
    ipv4: addresses.filter((address) => !address.includes(':')),
    ipv6: addresses.filter((address) => address.includes(':')),
  };
}
