import type { PublishProperties } from '@moat/codec';

/** Bytes that a message counts for wherever messages are bounded: payload, topic, properties. */
export function messageSize(
  topic: string,
  payloadLength: number,
  properties: Omit<PublishProperties, 'topicAlias' | 'subscriptionIdentifiers'> | undefined,
): number {
  const size = payloadLength + topic.length;
  if (properties === undefined) return size;
  const { contentType = '', responseTopic = '', correlationData, userProperties = [] } = properties;
  const texts = userProperties.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return size + contentType.length + responseTopic.length + (correlationData?.length ?? 0) + texts;
}
