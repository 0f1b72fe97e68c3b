import { randomBytes } from 'node:crypto';
import { mechanismNames } from '@moat/scram';
import type { PreparedBroker } from '../broker/broker.js';
import type { Drill, Run } from '../drill.js';
import { type Answer, knock, sourceAddress } from '../knock.js';
import { knockByScram } from '../scram-knock.js';
import { newId } from '../stage.js';

/** So far from one half may the share of right guesses be, in standard deviations of what chance alone gives. */
const deviations = 4;

/** One way to ask whether there is a user. */
interface Question {
  readonly how: string;
  ask(username: string, from: string | undefined): Promise<Answer>;
}

async function run({ broker, amount, signal, report }: Run<PreparedBroker>): Promise<void> {
  const { address } = broker;
  const unknown = `u${randomBytes(4).toString('hex')}`;
  const rounds = amount.count / 8;
  for (const [index, { how, ask }] of questionsFor(broker).entries()) {
    const known: Answer[] = [];
    const others: Answer[] = [];
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      // In turns, and each from an address of its own: what is measured is neither the hour nor a lock-out.
      const from = 10_000 * (index + 1) + 2 * round;
      known.push(await ask('victim', sourceAddress(address, from)));
      others.push(await ask(unknown, sourceAddress(address, from + 1)));
    }
    if (known.length === 0) return; // the time is over
    const messages = new Set([...known, ...others].map(({ connack }) => connack));
    report({
      tried: `tell a known user from an unknown one by the answer, ${how}`,
      happened: `the answers are ${[...messages].map((connack) => connack ?? 'none').join(' and ')}`,
      survived: messages.size === 1,
    });
    const share = shareLonger(known, others);
    const allowed = deviations * Math.sqrt((2 * known.length + 1) / (12 * known.length ** 2));
    report({
      tried: `tell them by how long it takes, ${how}`,
      happened: `the known one takes longer in ${Math.round(100 * share)} % of pairs; chance is ${Math.round(50 - 100 * allowed)} to ${Math.round(50 + 100 * allowed)} %`,
      survived: Math.abs(share - 0.5) <= allowed,
    });
  }
}

function questionsFor({ address, versions }: PreparedBroker): Question[] {
  const byPassword = versions.map((version) => ({
    how: `version ${version}`,
    ask: (username: string, from: string | undefined) =>
      knock(address, version, { username, password: 'not the password', clientId: newId('probe') }, from),
  }));
  const byScram = mechanismNames.map((mechanism) => ({
    how: mechanism,
    ask: (username: string, from: string | undefined) => knockByScram(address, mechanism, username, from),
  }));
  // What costs the broker little comes first: there is only so much time.
  return versions.includes(5) ? [...byScram, ...byPassword] : byPassword;
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
  intensity: { small: { count: 96, seconds: 30 }, full: { count: 1_600, seconds: 120 } },
  needs: 'setup',
  run,
};
