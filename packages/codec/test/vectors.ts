import { connectVectors } from './vectors/connect.js';
import { refusedConnectVectors } from './vectors/connect-refused.js';
import { publishVectors } from './vectors/publish.js';
import { sessionVectors } from './vectors/session.js';
import { subscribeVectors } from './vectors/subscribe.js';
import type { Vector } from './vectors/vector.js';

export { bytesOf } from './notation.js';
export type { Vector } from './vectors/vector.js';

/** Bytes, packet, refusal: the one table that parser, serializer and broker are tested against. */
export const vectors: readonly Vector[] = [
  ...connectVectors,
  ...refusedConnectVectors,
  ...publishVectors,
  ...subscribeVectors,
  ...sessionVectors,
];
