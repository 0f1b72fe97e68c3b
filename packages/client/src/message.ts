import type { IPublishPacket } from 'mqtt';

export type QoS = 0 | 1 | 2;

export type UserProperties = Record<string, string | string[]>;

/** The properties of PUBLISH in MQTT 5.0 (§3.3.2.3), by the standard's names. Ignored by 3.1 and 3.1.1. */
export interface PublishProperties {
  readonly payloadFormatIndicator?: boolean;
  /** Seconds. */
  readonly messageExpiryInterval?: number;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Buffer;
  readonly userProperties?: UserProperties;
}

/** A message as it arrived; `properties` are those of PUBLISH (MQTT 5.0 §3.3.2.3). */
export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly duplicate: boolean;
  readonly properties: NonNullable<IPublishPacket['properties']>;
}
