import { withDeadline } from '@moat/testkit';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

export interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
}

/** MQTT.js as a test wants it: it does not reconnect of itself, and misses no message. */
export class MqttJs {
  private readonly received: Received[] = [];
  private wake = (): void => {};

  private constructor(readonly client: MqttClient) {
    client.on('message', (topic, payload, { qos, retain }) => {
      this.received.push({ topic, payload: String(payload), qos, retain });
      this.wake();
    });
  }

  /** Rejects with the client's own error when it is refused. */
  static async connect(url: string, options: IClientOptions): Promise<MqttJs> {
    const client = mqtt.connect(url, { reconnectPeriod: 0, ...options });
    const wrapped = new MqttJs(client);
    const connecting = new Promise((resolve, reject) => {
      client.once('connect', resolve);
      client.once('error', reject);
      client.once('close', () => reject(new Error('the connection closed')));
    });
    await withDeadline(connecting, () => `no connection to ${url}`);
    return wrapped;
  }

  /** The next messages, in the order in which they came. */
  async next(count: number): Promise<Received[]> {
    const enough = new Promise<void>((resolve) => {
      this.wake = () => this.received.length >= count && resolve();
      this.wake();
    });
    await withDeadline(enough, () => `wanted ${count} messages, got ${JSON.stringify(this.received)}`);
    return this.received.splice(0, count);
  }

  end(): Promise<void> {
    return this.client.endAsync();
  }
}
