import type { Random } from './random.js';

const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xff, 0xc0, 0xed, 0x23, 0x2b, 0x2f, 0x24, 0x26];

/** A copy of `bytes` with a few faults such as a broken or hostile sender would put in. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let mutated = Array.from(bytes);
  for (let times = random.below(3); times >= 0; times--) {
    const at = random.below(mutated.length + 1);
    switch (random.below(7)) {
      case 0:
        mutated[at] = random.below(256);
        break;
      case 1:
        mutated[at] = random.pick(EDGES);
        break;
      case 2:
        mutated[at] = (mutated[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 3:
        mutated.splice(at, 1 + random.below(4));
        break;
      case 4:
        mutated.splice(at, 0, ...Array.from({ length: 1 + random.below(4) }, () => random.below(256)));
        break;
      case 5:
        mutated.splice(at, 0, ...mutated.slice(random.below(at + 1), at));
        break;
      default:
        mutated = mutated.slice(0, at);
    }
  }
  const result = Uint8Array.from(mutated, (byte) => byte ?? 0);
  if (random.chance(70)) fixLength(result);
  return result;
}

/** Makes a one-byte remaining length true again, so that the fault lies deeper. */
function fixLength(packet: Uint8Array): void {
  if (packet.length >= 2 && packet.length <= 0x81) packet[1] = packet.length - 2;
}

/** The same bytes in pieces, cut anywhere. */
export function cut(bytes: Uint8Array, random: Random): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = random.chance(50) ? bytes.length : 1 + random.below(8);
    chunks.push(bytes.slice(at, at + size));
    at += size;
  }
  return chunks;
}
