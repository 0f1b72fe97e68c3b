import { Message } from '../routing/message.js';
import type { Router } from '../routing/router.js';
import { LoadAverage, loadPeriods } from './load-average.js';
import type { Status } from './status.js';

/** What is averaged, by the name that Mosquitto gives it. */
const loads: Record<string, (status: Status) => number> = {
  'messages/received': ({ traffic }) => traffic.packetsReceived,
  'messages/sent': ({ traffic }) => traffic.packetsSent,
  'publish/received': ({ traffic }) => traffic.messagesReceived,
  'publish/sent': ({ traffic }) => traffic.messagesSent,
  'publish/dropped': (status) => droppedIn(status),
  'bytes/received': ({ traffic }) => traffic.bytesReceived,
  'bytes/sent': ({ traffic }) => traffic.bytesSent,
  connections: ({ traffic }) => traffic.connectionsAccepted - traffic.connectsRefused,
  sockets: ({ traffic }) => traffic.connectionsAccepted,
};

/** `$SYS/broker/…` with Mosquitto's names: retained, written by the server alone. */
export class SysTopics {
  private readonly averages = new Map(Object.keys(loads).map((name) => [name, new LoadAverage()]));
  private readonly timer: NodeJS.Timeout | undefined;
  private readonly published = new Map<string, string>();

  /** `interval` in seconds; 0 publishes nothing. */
  constructor(
    private readonly router: Router,
    private readonly status: () => Status,
    interval: number,
  ) {
    if (interval === 0) return;
    this.publish(0);
    this.timer = setInterval(() => this.publish(interval), interval * 1000);
    this.timer.unref();
  }

  /** Publishes what has changed. */
  publish(seconds: number): void {
    const status = this.status();
    for (const [name, value] of Object.entries(topicsOf(status))) this.set(`$SYS/broker/${name}`, String(value));
    if (seconds === 0) return;
    for (const [name, average] of this.averages) {
      const values = average.update(loads[name]?.(status) ?? 0, seconds);
      for (const [index, minutes] of loadPeriods.entries())
        this.set(`$SYS/broker/load/${name}/${minutes}min`, (values[index] ?? 0).toFixed(2));
    }
  }

  /** Removes the topics, so that a changed interval starts afresh. */
  stop(): void {
    clearInterval(this.timer);
    for (const topic of this.published.keys()) this.router.retained.delete(topic);
  }

  private set(topic: string, value: string): void {
    if (this.published.get(topic) === value) return;
    this.published.set(topic, value);
    this.router.publish(Message.of(topic, Buffer.from(value), { retain: true }));
  }
}

function droppedIn({ dropped }: Status): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0);
}

function topicsOf(status: Status): Record<string, string | number> {
  const { traffic, guard } = status;
  return {
    'guard/connections/current': guard.connections,
    'guard/connections/allowed': guard.connectionsAllowed,
    'guard/connections/without_connect': guard.withoutConnect,
    'guard/connections/anonymous': guard.anonymous,
    'guard/evicted/unfinished': guard.evicted.unfinished,
    'guard/evicted/anonymous': guard.evicted.anonymous,
    'guard/handshakes/current': guard.handshakes.active,
    'guard/handshakes/abandoned': guard.handshakes.abandoned,
    'guard/overload/steps': guard.overload.steps.length,
    'guard/overload/paused': guard.overload.paused,
    'guard/overload/disconnected': guard.overload.disconnected,
    'guard/buffered/bytes': guard.overload.pressure.buffered,
    'guard/rates/pauses': traffic.ratePauses,
    'guard/rates/disconnects': traffic.rateDisconnects,
    version: `moat version ${status.version}`,
    uptime: `${Math.floor(status.uptime)} seconds`,
    'clients/total': status.sessions,
    'clients/connected': status.connections,
    'clients/active': status.connections,
    'clients/disconnected': status.sessionsDisconnected,
    'clients/inactive': status.sessionsDisconnected,
    'clients/maximum': status.connectionsMaximum,
    'subscriptions/count': status.subscriptions,
    'retained messages/count': status.retained.messages,
    'messages/stored': status.retained.messages,
    'store/messages/count': status.retained.messages,
    'store/messages/bytes': status.retained.bytes,
    'messages/received': traffic.packetsReceived,
    'messages/sent': traffic.packetsSent,
    'publish/messages/received': traffic.messagesReceived,
    'publish/messages/sent': traffic.messagesSent,
    'publish/messages/dropped': droppedIn(status),
    'bytes/received': traffic.bytesReceived,
    'bytes/sent': traffic.bytesSent,
    'heap/current': status.memory.heapUsed,
  };
}
