import { CodecError, type DisconnectPacket, ReasonCode } from '@moat/codec';
import type { Connection } from './connection.js';

/** DISCONNECT of the client (MQTT 5.0 §3.14.4): it goes, with or without its will. */
export function disconnect(connection: Connection, packet: DisconnectPacket): void {
  const session = connection.agreement?.session;
  const interval = packet.properties?.sessionExpiryInterval;
  if (session !== undefined && interval !== undefined) {
    if (session.expiryInterval === 0 && interval !== 0)
      throw new CodecError(
        ReasonCode.protocolError,
        'a session expiry interval where CONNECT had none',
        'MQTT-3.14.2-2',
      );
    connection.context.registry.changeExpiry(session, Math.min(interval, connection.limits.max_session_expiry));
  }
  const sendWill = packet.reasonCode !== ReasonCode.normalDisconnection; // [MQTT-3.14.4-3]
  connection.finish(sendWill, 'the client disconnected'); // [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT3-3.14.4-1] [MQTT3-3.14.4-2]
  connection.end(true);
}
