import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import {
  connect as connectMqtt,
  type IConnackPacket,
  type IPublishPacket,
  type ISubscriptionMap,
  type MqttClient,
} from 'mqtt';
import { type Backoff, defaultBackoff, delayBefore } from './backoff.js';
import { randomClientId } from './client-id.js';
import { EnhancedAuth } from './enhanced-auth.js';
import {
  type ClientError,
  ClosedError,
  classify,
  classifyAnswer,
  InvalidError,
  isTransient,
  TlsError,
} from './errors.js';
import { lifeOf, nextIdentity, useIdentity } from './identity.js';
import type { Message, QoS } from './message.js';
import { type ConnectOptions, type PublishOptions, toMqttOptions } from './options.js';
import { Pending, type Settle } from './pending.js';
import { AutomaticRenewal, dueAt, type Identity, type Life } from './renewal.js';
import { type SubscribeOptions, Subscription } from './subscription.js';
import { assertTopicFilter, assertTopicName } from './topic.js';

export interface ClientEvents {
  connected: [facts: { sessionPresent: boolean; assignedClientIdentifier: string | undefined }];
  /** The connection is lost; another attempt follows after `delay` milliseconds. */
  disconnected: [error: ClientError, delay: number];
  /** The end: by `close()`, or by an error that trying again cannot mend. */
  closed: [error: ClientError | undefined];
  /** A new certificate was issued and stored; the next connection uses it. */
  renewed: [identity: Identity];
  /** It was not, and is tried again. */
  renewalFailed: [error: Error];
}

/**
 * A connection to a broker that comes back by itself: subscriptions are made again, and messages of QoS 1 and 2 that
 * were not acknowledged are sent again (MQTT 5.0 §4.4). Made by `connect`.
 */
export class Client extends EventEmitter<ClientEvents> {
  readonly #mqtt: MqttClient;
  readonly #options: ConnectOptions;
  readonly #backoff: Backoff | false;
  readonly #random: () => number;
  readonly #subscriptions = new Set<Subscription>();
  readonly #pending = new Pending();
  readonly #auth: EnhancedAuth | undefined;
  /** A message whose acknowledgement, and all that follows it on the wire, waits for a reader that lags. */
  #held: { qos: QoS; done: () => void } | undefined;
  #opened = false;
  #leaving = false;
  #goodbye: Promise<void> | undefined;
  #attempt = 0;
  #calm: NodeJS.Timeout | undefined;
  #lastError: ClientError | undefined;
  #end: { error: ClientError | undefined } | undefined;
  #identity: Identity | undefined;
  #life: Life | undefined;
  #renewal: AutomaticRenewal | undefined;
  #renewing: Promise<Identity> | undefined;

  /** @internal use `connect` */
  constructor(options: ConnectOptions, random: () => number) {
    super();
    this.#options = options;
    this.#backoff = options.reconnect ?? defaultBackoff;
    this.#random = random;
    const clientId = options.clientId ?? randomClientId(options.username, randomBytes(8));
    const ours = toMqttOptions(options);
    this.#auth = EnhancedAuth.of(options, () => this.#mqtt);
    const mqttOptions = {
      clientId,
      ...ours,
      ...(this.#auth && { properties: { ...ours.properties, ...this.#auth.connectProperties() } }),
      reconnectPeriod: this.#delay(),
      reconnectOnConnackError: true,
    };
    try {
      this.#mqtt = connectMqtt(mqttOptions);
    } catch (error) {
      // Node throws at once for a certificate or key that it cannot read.
      throw new TlsError(`unusable certificate or key: ${(error as Error).message}`, undefined, error);
    }
    const { cert, key } = options;
    if (cert !== undefined && key !== undefined) this.#identity = { cert: String(cert), key: String(key) };
    this.#mqtt.handleMessage = (packet, done) => this.#afterMessage(packet as IPublishPacket, done);
    this.#mqtt.on('message', (topic, payload, packet) => this.#onMessage(topic, payload, packet));
    this.#mqtt.on('connect', (packet) => this.#onConnect(packet));
    this.#mqtt.on('disconnect', ({ reasonCode }) =>
      this.#onError(new ClosedError('the broker ended the connection', reasonCode)),
    );
    this.#mqtt.on('error', (error) => this.#onError(classify(error)));
    this.#mqtt.on('close', () => this.#onClose());
    this.#mqtt.on('reconnect', () => {
      this.#count(this.#attempt + 1);
      Object.assign(this.#mqtt.options.properties ?? {}, this.#auth?.connectProperties());
    });
    if (this.#auth !== undefined) this.#authenticateBy(this.#auth);
  }

  /** Before anything else is sent, the broker has proven itself. */
  #authenticateBy(auth: EnhancedAuth): void {
    this.#mqtt.handleAuth = (packet, done) => {
      auth.received(packet).then(
        (answer) => done(undefined, answer),
        (error: Error) => done(error),
      );
    };
    this.#mqtt.on('packetreceive', (packet) => {
      if (packet.cmd !== 'connack' || packet.reasonCode !== 0) return;
      try {
        auth.connected(packet);
      } catch (error) {
        this.#finish(classify(error));
      }
    });
  }

  /**
   * Has both sides prove themselves anew, without losing the connection (MQTT 5.0 §4.12.1). Only with `auth`.
   *
   * @throws ClosedError when the broker ends the connection instead; UnprovenError; InvalidError
   */
  async reauthenticate(): Promise<void> {
    if (this.#auth === undefined) throw new InvalidError('there is nothing to repeat: the options name no auth');
    if (!this.connected) throw new ClosedError('there is no connection');
    await this.#auth.repeat();
  }

  get connected(): boolean {
    return this.#mqtt.connected && this.#end === undefined;
  }

  /**
   * Sends a message. While the connection is down it waits; await it before the next to bound what waits.
   *
   * @throws DeniedError with the broker's reason code; ClosedError when the connection ended first; InvalidError
   */
  async publish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<void> {
    assertTopicName(topic);
    const bytes = typeof payload === 'string' ? payload : asBuffer(payload);
    await this.#ask<unknown>('publish', [topic], (settle) => this.#mqtt.publish(topic, bytes, { ...options }, settle));
  }

  /**
   * Subscribes to one filter or several; resolves when the broker has granted all of them.
   *
   * @throws DeniedError with the broker's reason code for the first that it denied; ClosedError; InvalidError
   */
  async subscribe(filters: string | readonly string[], options: SubscribeOptions = {}): Promise<Subscription> {
    const list = typeof filters === 'string' ? [filters] : filters;
    list.forEach(assertTopicFilter);
    const owner = { drained: () => this.#release(), leave: (left: Subscription) => this.#leave(left) };
    const subscription = new Subscription(list, owner, options.onMessage);
    // Before the answer: messages may arrive ahead of SUBACK (MQTT 5.0 §3.8.4).
    this.#subscriptions.add(subscription);
    const { qos = 0, noLocal = false, retainAsPublished = false, retainHandling = 0, properties } = options;
    const request = { qos, nl: noLocal, rap: retainAsPublished, rh: retainHandling };
    try {
      const granted = await this.#ask<{ topic: string; qos: number }[]>('subscribe', list, (settle) =>
        this.#mqtt.subscribe(askedAnew(list, request), properties ? { ...request, properties } : request, settle),
      );
      const qosOf = new Map(granted?.map((one) => [one.topic, one.qos as QoS]));
      subscription.grantedQoS = list.map((filter) => qosOf.get(filter) ?? qos);
    } catch (error) {
      this.#subscriptions.delete(subscription);
      // Of several some may have been granted.
      if (list.length > 1) void this.#leave(subscription).catch(() => {});
      throw error;
    }
    return subscription;
  }

  /**
   * Gets the next certificate of this device from the broker, over this connection, and stores it as the option `renewal`
   * says. It is used from the next connection on; the one before stays good until its end.
   *
   * @throws CertificateError when the broker says no; InvalidError without a certificate; DeniedError, ClosedError
   */
  renew({ newKey = this.#options.renewal?.newKey ?? false } = {}): Promise<Identity> {
    // One at a time: the broker answers no second request, and what is due may be noticed in two places at once.
    this.#renewing ??= this.#renewNow(newKey).finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewNow(newKey: boolean): Promise<Identity> {
    const identity = await nextIdentity(this, this.#identity, newKey);
    await this.#options.renewal?.store(identity);
    this.#identity = identity;
    this.#life = lifeOf(identity);
    useIdentity(this.#mqtt.options, identity);
    this.emit('renewed', identity);
    return identity;
  }

  /** The same if two thirds of the certificate's life are over. Tells whether it did. */
  async renewIfDue(): Promise<boolean> {
    if (Date.now() < dueAt(this.#currentLife(), 0)) return false;
    await this.renew();
    return true;
  }

  /**
   * Says good-bye to the broker, so that it sends no will, once everything published is acknowledged.
   *
   * @param deadline milliseconds after which it closes in any case
   */
  async close(deadline = 5000): Promise<void> {
    if (this.#end) return;
    this.#goodbye ??= this.#sayGoodbye(deadline);
    await this.#goodbye;
  }

  async #sayGoodbye(deadline: number): Promise<void> {
    const closed = once(this, 'closed');
    const timer = setTimeout(() => this.#finish(undefined), deadline);
    this.#release();
    await this.#pending.idle();
    if (!this.#end) {
      this.#leaving = true;
      this.#mqtt.end(!this.#mqtt.connected, () => this.#finish(undefined));
    }
    await closed;
    clearTimeout(timer);
  }

  #currentLife(): Life {
    if (this.#identity === undefined) throw new InvalidError('a client without a certificate has none to renew');
    this.#life ??= lifeOf(this.#identity);
    return this.#life;
  }

  #renewByItself(): void {
    if (this.#options.renewal === undefined || this.#renewal !== undefined) return;
    const renew = (): Promise<void> =>
      this.renew().then(
        () => {},
        (error: Error) => void this.emit('renewalFailed', error),
      );
    this.#renewal = new AutomaticRenewal(() => this.#currentLife(), renew, this.#random);
    void this.#renewal.run().catch((error: Error) => this.emit('renewalFailed', error));
  }

  #count(attempt: number): void {
    this.#attempt = attempt;
    this.#mqtt.options.reconnectPeriod = this.#delay();
  }

  #delay(): number {
    return this.#backoff === false ? 0 : delayBefore(this.#attempt, this.#random(), this.#backoff);
  }

  #ask<T>(
    action: 'publish' | 'subscribe',
    topics: readonly string[],
    start: (settle: Settle<T>) => void,
  ): Promise<T | undefined> {
    if (this.#end) return Promise.reject(this.#end.error ?? new ClosedError('the client was closed'));
    const answer = this.#pending.run(start, (error) => classifyAnswer(error, action, topics));
    this.#release();
    return answer;
  }

  async #leave(subscription: Subscription): Promise<void> {
    this.#subscriptions.delete(subscription);
    this.#release();
    const kept = new Set([...this.#subscriptions].flatMap(({ filters }) => filters));
    const left = subscription.filters.filter((filter) => !kept.has(filter));
    if (left.length === 0) return;
    const answered = this.#ask<unknown>('subscribe', left, (settle) => this.#mqtt.unsubscribe([...left], settle));
    // A lost connection is made again without it; nobody waits for that.
    if (this.connected) await answered;
    else answered.catch(() => {});
  }

  #onConnect({ sessionPresent, properties }: IConnackPacket): void {
    if (this.#end) return;
    this.#opened = true;
    this.#lastError = undefined;
    // Only a connection that lasts starts the count again: two clients that take each other's session slow down.
    const lasting = this.#backoff === false ? 0 : this.#backoff.maximum;
    this.#calm = setTimeout(() => this.#count(0), lasting).unref();
    this.#renewByItself();
    this.emit('connected', { sessionPresent, assignedClientIdentifier: properties?.assignedClientIdentifier });
  }

  #onMessage(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const { qos, retain, dup, properties = {} } = packet;
    const message: Message = { topic, payload, qos, retain, duplicate: dup, properties };
    let taken = false;
    for (const subscription of this.#subscriptions) taken = subscription.offer(message) || taken;
    if (!taken) this.#options.onUnmatched?.(message);
  }

  /** Back-pressure: MQTT.js reads on only after `done`. */
  #afterMessage({ qos }: IPublishPacket, done: () => void): void {
    // An answer that someone awaits is behind this message: a reader that publishes must not wait for itself.
    const full = this.#pending.size === 0 && [...this.#subscriptions].some((subscription) => subscription.isFull);
    if (full) this.#held = { qos, done };
    else done();
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.done();
  }

  #onError(error: ClientError): void {
    this.#lastError = error;
    if (!isTransient(error)) return this.#finish(error);
    // Node leaves a connection open whose encryption has failed, and nothing more would come of it.
    if (error.code === 'tls') this.#mqtt.stream.destroy();
  }

  #onClose(): void {
    clearTimeout(this.#calm);
    // A held QoS 1 message will come again, so it is not acknowledged; QoS 2 must complete (MQTT 5.0 §4.4).
    if (this.#held?.qos !== 2) this.#held = undefined;
    this.#release();
    if (this.#end) return;
    if (this.#leaving) return this.#finish(undefined);
    const error = this.#lastError ?? new ClosedError('the connection was closed without a word');
    this.#lastError = undefined;
    this.#auth?.lost(error);
    if (this.#backoff === false || !(this.#opened || this.#options.retryFirst)) this.#finish(error);
    else this.emit('disconnected', error, this.#mqtt.options.reconnectPeriod ?? 0);
  }

  #finish(error: ClientError | undefined): void {
    if (this.#end) return;
    this.#end = { error };
    this.#auth?.lost(error ?? new ClosedError('the client was closed'));
    this.#renewal?.stop();
    this.#mqtt.end(true);
    // MQTT.js does not force a close that has begun politely.
    this.#mqtt.stream.destroy();
    this.#pending.rejectAll(error ?? new ClosedError('the client was closed'));
    for (const subscription of this.#subscriptions) subscription.end(error);
    this.emit('closed', error);
  }
}

/**
 * Connects to a broker. The server's certificate is always verified.
 *
 * @example
 * const client = await connect(await loadConnection('connection.json'));
 * await client.publish('devices/boiler/temperature', '21.5', { qos: 1 });
 *
 * @throws UnreachableError, TlsError, RefusedError, ClosedError when the first attempt fails; InvalidError
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const client = new Client(options, Math.random);
  return new Promise((resolve, reject) => {
    client.once('connected', () => resolve(client));
    client.once('closed', (error) => reject(error ?? new ClosedError('the client was closed')));
  });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Filters as MQTT.js is to be given them. In a list it leaves out those that were subscribed to before: no retained message would
 * come, and other options would not count. By a key it can be told not to, and a filter may have the name of that.
 */
function askedAnew<T extends { readonly qos: QoS }>(filters: readonly string[], options: T) {
  if (filters.includes('resubscribe')) return [...filters];
  return { ...Object.fromEntries(filters.map((filter) => [filter, options])), resubscribe: true } as ISubscriptionMap;
}
