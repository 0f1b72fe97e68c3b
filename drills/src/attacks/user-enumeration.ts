import { randomBytes } from 'node:crypto';
import type { Version } from '@moat/testkit/packets';
import type { PreparedBroker } from '../broker/broker.js';
import type { Drill, Run } from '../drill.js';
import { type Answer, knock, sourceAddress } from '../knock.js';

/** So far from one half may the share of right guesses be, in standard deviations of what chance alone gives. */
const deviations = 4;

async function run({ broker: { address, versions }, amount, signal, report }: Run<PreparedBroker>): Promise<void> {
  const unknown = `u${randomBytes(4).toString('hex')}`;
  for (const version of versions) {
    const ask = (username: string, from: number) => probe(version, username, from);
    const known: Answer[] = [];
    const others: Answer[] = [];
    for (let round = 0; round < amount.count / 4 && !signal.aborted; round++) {
      // In turns, and each from an address of its own: what is measured is neither the hour nor a lock-out.
      const from = version * 10_000 + 2 * round;
      known.push(await ask('victim', from));
      others.push(await ask(unknown, from + 1));
    }
    const messages = new Set([...known, ...others].map(({ connack }) => connack));
    report({
      tried: `tell a known user from an unknown one by the answer, version ${version}`,
      happened: `the answers are ${[...messages].map((connack) => connack ?? 'none').join(' and ')}`,
      survived: messages.size === 1,
    });
    const share = shareLonger(known, others);
    const allowed = deviations * Math.sqrt((2 * known.length + 1) / (12 * known.length ** 2));
    report({
      tried: `tell them by how long it takes, version ${version}`,
      happened: `the known one takes longer in ${Math.round(100 * share)} % of pairs; chance is ${Math.round(50 - 100 * allowed)} to ${Math.round(50 + 100 * allowed)} %`,
      survived: Math.abs(share - 0.5) <= allowed,
    });
  }

  function probe(version: Version, username: string, from: number): Promise<Answer> {
    const password = 'not the password';
    return knock(address, version, { username, password, clientId: `probe${from}` }, sourceAddress(address, from));
  }
}

/** Of all pairs of one answer of each, in how many the first took longer (Mann and Whitney's U, as a share). */
function shareLonger(first: readonly Answer[], second: readonly Answer[]): number {
  let longer = 0;
  for (const one of first) for (const other of second) if (one.milliseconds > other.milliseconds) longer++;
  return longer / (first.length * second.length);
}

export const userEnumeration: Drill = {
  name: 'user-enumeration',
  summary: 'Finds out by the answer, and by how long it takes, whether there is a user of a name',
  seenIn: 'brokers that hash passwords of known users alone',
  unit: 'logins',
  intensity: { small: { count: 48, seconds: 30 }, full: { count: 800, seconds: 90 } },
  needs: 'setup',
  run,
};
