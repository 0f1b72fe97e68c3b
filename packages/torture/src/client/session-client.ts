import {
  type AcknowledgementType,
  type ControlPacket,
  type IncomingPublish,
  PacketType,
  type SubackPacket,
  type UnsubackPacket,
} from '@moat/codec';
import type { ClientPlan } from '../plan.js';
import type { ClientEvent, Sending } from '../record/event.js';
import { type RecordFile, readRecord } from '../record/record-file.js';
import { ClientState, type UnderWay } from './client-state.js';
import { PacketStream } from './packet-stream.js';
import { connectOf, payloadOf, publishOf, readPayload, subscribeOf } from './packets.js';

/** A SUBSCRIBE or UNSUBSCRIBE that awaits its answer. */
interface Asked {
  readonly id: number;
  readonly filter: string;
  readonly wanted: boolean;
}

/**
 * An MQTT client whose session is its record: everything is written there before it counts, and the state follows from
 * what is written. It does nothing by itself but answer.
 */
export class SessionClient {
  readonly state = new ClientState();
  /** How many events of each kind this process has seen. */
  readonly counts = { sent: 0, done: 0, arrived: 0 };
  connected = false;
  private stream: PacketStream | undefined;
  private asked: Asked | undefined;

  constructor(
    readonly plan: ClientPlan,
    private readonly port: number,
    private readonly record: RecordFile<ClientEvent>,
    path: string,
    /** Called with each message that arrives. */
    private readonly arrived: (topic: string) => void,
  ) {
    for (const event of readRecord<ClientEvent>(path)) this.state.apply(event);
    this.note({ e: 'began' });
  }

  /** Whether it has a connection, or is about to. */
  get online(): boolean {
    return this.stream !== undefined;
  }

  /** Whether nothing is under way to the broker. */
  get quiet(): boolean {
    return this.connected && this.state.underWay.size === 0 && this.asked === undefined;
  }

  get mayAsk(): boolean {
    return this.connected && this.asked === undefined;
  }

  /** Connects, taking over from its own connection if it has one. `clean` gives up the session that there may be. */
  connect(clean: boolean): void {
    const release = this.stream?.abandon();
    this.connected = false;
    this.asked = undefined;
    let opened = release !== undefined;
    this.stream = new PacketStream(this.port, this.plan.version, {
      opened: () => {
        opened = true;
        this.introduce(clean);
      },
      packet: (packet) => this.packet(packet),
      publish: (packet) => this.publish(packet),
      ended: () => {
        release?.();
        this.stream = undefined;
        this.connected = false;
        this.asked = undefined;
        if (opened) this.note({ e: 'gone' });
      },
    });
  }

  /** Ends the connection as a fault would, or with DISCONNECT. */
  leave(how: 'lost' | 'goodbye'): void {
    if (how === 'goodbye' && this.connected) {
      this.note({ e: 'leaving' });
      this.stream?.send({ type: PacketType.DISCONNECT, reasonCode: 0 });
      this.stream?.finish();
      this.connected = false; // until the broker closes, too
    } else this.stream?.end();
  }

  send(message: Omit<Sending, 'n' | 'id'>, size: number): void {
    const { state } = this;
    const sending = { ...message, n: state.message + 1, id: message.qos === 0 ? 0 : state.nextId() };
    this.note({ e: 'sending', ...sending });
    this.counts.sent++;
    this.stream?.send(publishOf(sending, payloadOf(this.plan.id, sending, size), false));
  }

  /** Subscribes to a filter or unsubscribes from it. */
  ask(filter: string, wanted: boolean): void {
    this.note({ e: wanted ? 'subscribing' : 'unsubscribing', filter });
    const id = this.state.nextId();
    this.asked = { id, filter, wanted };
    if (wanted) this.stream?.send(subscribeOf(id, filter));
    else this.stream?.send({ type: PacketType.UNSUBSCRIBE, packetId: id, filters: [filter] });
  }

  private note(event: ClientEvent): void {
    this.record.write(event);
    this.state.apply(event);
  }

  private introduce(clean: boolean): void {
    const { will, expiry } = this.plan;
    const attempt = this.state.attempt + 1;
    this.note({ e: 'connecting', clean, expiry, ...(will === undefined ? {} : { will: { n: attempt, ...will } }) });
    this.stream?.send(connectOf(this.plan, clean, attempt));
  }

  private packet(packet: ControlPacket): void {
    switch (packet.type) {
      case PacketType.CONNACK:
        if (packet.reasonCode === 0) return this.welcome(packet.sessionPresent);
        this.note({ e: 'refused', packet: 'CONNECT', code: packet.reasonCode });
        return this.stream?.end();
      case PacketType.PUBACK:
      case PacketType.PUBREC:
      case PacketType.PUBCOMP:
        return this.acknowledged(packet.type, packet.packetId, packet.reasonCode);
      case PacketType.PUBREL:
        this.note({ e: 'released', id: packet.packetId });
        return this.answer(PacketType.PUBCOMP, packet.packetId);
      case PacketType.SUBACK:
      case PacketType.UNSUBACK:
        return this.answered(packet);
    }
  }

  private publish(packet: IncomingPublish): void {
    const { topic, qos, retain, packetId: id } = packet;
    const numbered = readPayload(packet.payload);
    const known = qos === 2 && this.state.unreleased.has(id);
    if (!known && numbered !== undefined) {
      this.note({ e: 'arrived', topic, qos, retain, id, ...numbered });
      this.counts.arrived++;
    }
    if (qos === 1) this.answer(PacketType.PUBACK, id);
    if (qos === 2) this.answer(PacketType.PUBREC, id);
    this.arrived(topic);
  }

  /** CONNACK: what was under way is sent again, in the order in which it was sent. */
  private welcome(present: boolean): void {
    this.note({ e: 'connected', present });
    this.connected = true;
    for (const [id, message] of this.state.underWay) {
      if (message.received) this.answer(PacketType.PUBREL, id);
      else this.stream?.send(publishOf(message, payloadOf(this.plan.id, message, 0), true));
    }
  }

  private acknowledged(type: AcknowledgementType, id: number, code: number): void {
    const message: UnderWay | undefined = this.state.underWay.get(id);
    if (message === undefined) return;
    // That PUBREL came once before, and was acted upon, is no refusal.
    if (code >= 0x80 && type !== PacketType.PUBCOMP) {
      this.note({ e: 'refused', packet: 'PUBLISH', code, n: message.n });
      return;
    }
    if (type === PacketType.PUBREC) {
      if (!message.received) this.note({ e: 'received', n: message.n });
      this.answer(PacketType.PUBREL, id);
      return;
    }
    this.note({ e: 'done', n: message.n });
    this.counts.done++;
  }

  private answered({ packetId, reasonCodes }: SubackPacket | UnsubackPacket): void {
    const { asked } = this;
    if (asked?.id !== packetId) return;
    this.asked = undefined;
    const code = reasonCodes[0] ?? 0; // there is none in an UNSUBACK before 5.0
    if (code >= 0x80) this.note({ e: 'refused', packet: asked.wanted ? 'SUBSCRIBE' : 'UNSUBSCRIBE', code });
    else this.note({ e: asked.wanted ? 'subscribed' : 'unsubscribed', filter: asked.filter });
  }

  private answer(type: AcknowledgementType, packetId: number): void {
    this.stream?.send({ type, packetId, reasonCode: 0 });
  }
}
