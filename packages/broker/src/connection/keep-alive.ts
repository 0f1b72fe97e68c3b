import { ReasonCode } from '@moat/codec';
import { TimerWheel } from '../transport/timer-wheel.js';
import type { Connection } from './connection.js';

/**
 * Closes a client that is silent for one and a half times its keep-alive, in seconds, be it the client's own or the
 * server's. // [MQTT-3.1.2-20] [MQTT-3.1.2-21] [MQTT-3.1.2-22] [MQTT-3.2.2-21] [MQTT-3.2.2-22]
 */
export function startKeepAlive(connection: Connection, keepAlive: number): void {
  if (keepAlive === 0) return;
  const allowed = keepAlive * 1500 + TimerWheel.tick + 1; // the time noted for a packet may be that old already
  watch(connection, allowed, allowed);
}

/** Packets only note the time; one timer looks whether that was too long ago. */
function watch(connection: Connection, allowed: number, wait: number): void {
  const { timers } = connection.context;
  connection.timer = timers.after(wait, () => {
    const silent = timers.now - connection.lastReceived;
    if (silent < allowed) watch(connection, allowed, allowed - silent);
    else connection.close(ReasonCode.keepAliveTimeout, 'keep-alive timeout');
  });
}
