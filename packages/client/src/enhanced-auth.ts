import type { Mechanism } from '@moat/scram';
import type { IConnackPacket, MqttClient, Packet } from 'mqtt';
import { ClosedError, UnprovenError } from './errors.js';
import type { ConnectOptions } from './options.js';
import { ScramExchange } from './scram.js';

type AuthPacket = Parameters<MqttClient['handleAuth']>[0];

/** What of MQTT.js is not in its types: there is no public way to send AUTH. */
interface Sender {
  _sendPacket(packet: Packet): void;
}

const success = 0x00;
const reauthenticate = 0x19;
const continueAuthentication = 0x18;

/**
 * Enhanced authentication (MQTT 5.0 §4.12) of one client: an exchange of its own for each connection, and for each time
 * that it proves itself anew.
 */
export class EnhancedAuth {
  private exchange: ScramExchange;
  private again: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(
    private readonly mqtt: () => MqttClient,
    private readonly begin: () => ScramExchange,
  ) {
    this.exchange = begin();
  }

  /** Undefined where the options do not ask for it. @throws InvalidError */
  static of({ auth, username = '', password = '' }: ConnectOptions, mqtt: () => MqttClient): EnhancedAuth | undefined {
    if (auth === undefined) return undefined;
    const mechanism = auth.toUpperCase() as Mechanism;
    return new EnhancedAuth(mqtt, () => new ScramExchange(mechanism, username, String(password)));
  }

  /** What the next CONNECT bears. */
  connectProperties(): { authenticationMethod: string; authenticationData: Buffer } {
    this.exchange = this.begin();
    return this.properties(this.exchange.first());
  }

  /** CONNACK with success. @throws UnprovenError */
  connected({ properties }: IConnackPacket): void {
    this.exchange.check(properties?.authenticationData);
  }

  /** AUTH of the server; the answer to send, if any. Rejects with UnprovenError. */
  async received({ reasonCode, properties }: AuthPacket): Promise<AuthPacket | undefined> {
    if (reasonCode === continueAuthentication) {
      const answer = await this.exchange.answer(properties?.authenticationData);
      return this.packet(continueAuthentication, answer);
    }
    // A server says nothing else (MQTT 5.0 §3.15.2.1): what comes in place of a proof is none.
    if (reasonCode !== success) throw new UnprovenError('it asked for a proof in place of giving one');
    this.exchange.check(properties?.authenticationData);
    this.again?.resolve();
    this.again = undefined;
    return undefined;
  }

  /** Both sides prove themselves anew on the open connection. Rejects when that ends. */
  repeat(): Promise<void> {
    if (this.again !== undefined) return Promise.reject(new ClosedError('an authentication is going on already'));
    this.exchange = this.begin();
    return new Promise((resolve, reject) => {
      this.again = { resolve, reject };
      (this.mqtt() as unknown as Sender)._sendPacket(this.packet(reauthenticate, this.exchange.first()));
    });
  }

  /** The connection is gone. */
  lost(error: Error): void {
    this.again?.reject(error);
    this.again = undefined;
  }

  private packet(reasonCode: number, data: Buffer): AuthPacket {
    return { cmd: 'auth', reasonCode, properties: this.properties(data) } as AuthPacket;
  }

  private properties(authenticationData: Buffer) {
    return { authenticationMethod: this.exchange.mechanism, authenticationData };
  }
}
