/** Traffic of all connections: plain numbers, read by the exporter. */
export interface TrafficCounters {
  bytesReceived: number;
  bytesSent: number;
  messagesReceived: number;
  messagesSent: number;
  /** Of every type, PUBLISH included. */
  packetsReceived: number;
  packetsSent: number;
  /** Accepted since the start. */
  connectionsAccepted: number;
  connectsRefused: number;
  /** Connections closed because of what the client sent. */
  protocolErrors: number;
  /** How often a client was read no further for a while, or disconnected, because of its rates. */
  ratePauses: number;
  rateDisconnects: number;
}

export function newTrafficCounters(): TrafficCounters {
  return {
    bytesReceived: 0,
    bytesSent: 0,
    messagesReceived: 0,
    messagesSent: 0,
    packetsReceived: 0,
    packetsSent: 0,
    connectionsAccepted: 0,
    connectsRefused: 0,
    protocolErrors: 0,
    ratePauses: 0,
    rateDisconnects: 0,
  };
}
