import { ReasonCode } from '@moat/codec';
import type { Connection } from './connection.js';

/** Closes a client that is silent for one and a half times its keep-alive. // [MQTT-3.1.2-22] */
export function startKeepAlive(connection: Connection, keepAlive: number): void {
  if (keepAlive === 0) return;
  watch(connection, keepAlive * 1500, keepAlive * 1500);
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
