/** Loaded into a broker that is to fail: it takes a certain topic badly. */
import { Parser } from '@moat/codec';

const { feed } = Parser.prototype;
const bad = Buffer.from('public/g7/c/d');

Parser.prototype.feed = function feedBadly(this: Parser, bytes: Uint8Array, start = 0, end = bytes.length): void {
  if (Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).includes(bad)) throw new TypeError('planted');
  feed.call(this, bytes, start, end);
};
