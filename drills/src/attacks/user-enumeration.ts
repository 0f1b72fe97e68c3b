import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
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

/**
 * Milliseconds from one pair to the next: long enough for a broker to be done with it, which would hide behind others how
 * long it took, and without waiting for one that makes guesses at one name wait.
 */
const pace = 50;

/** What a user and nobody were answered. */
type Pair = readonly [known: Answer, other: Answer];

async function run({ broker, amount, signal, report }: Run<PreparedBroker>): Promise<void> {
  const { address } = broker;
  const unknown = `u${randomBytes(4).toString('hex')}`;
  const questions = questionsFor(broker);
  const most = amount.count / 8;
  const share = (amount.seconds * 1_000) / questions.length;
  const begun = performance.now();
  for (const [index, { how, ask }] of questions.entries()) {
    // In turns, and each from an address of its own: what is measured is neither the hour nor a lock-out.
    const pairOf = async (number: number): Promise<Pair> => {
      const from = 10_000 * (index + 1) + 2 * number;
      const askKnown = (): Promise<Answer> => ask('victim', sourceAddress(address, from));
      const askOther = (): Promise<Answer> => ask(unknown, sourceAddress(address, from + 1));
      if (number % 2 === 0) return [await askKnown(), await askOther()];
      const other = await askOther();
      return [await askKnown(), other];
    };
    const isOver = (): boolean => signal.aborted || performance.now() - begun > share * (index + 1);
    const asked: Promise<Pair>[] = [];
    while (asked.length < most && !isOver()) {
      const pair = pairOf(asked.length);
      pair.catch(() => {}); // told below, with the others
      asked.push(pair);
      await wait(pace);
    }
    const pairs = await Promise.all(asked);
    judge(how, pairs, report);
  }
}

function judge(how: string, pairs: readonly Pair[], report: Run<PreparedBroker>['report']): void {
  if (pairs.length === 0) {
    report({
      tried: `tell a known user from an unknown one, ${how}`,
      happened: 'there was no time left',
      survived: false,
    });
    return;
  }
  const known = pairs.map(([answer]) => answer);
  const others = pairs.map(([, answer]) => answer);
  const messages = new Set([...known, ...others].map(({ connack }) => connack));
  report({
    tried: `tell a known user from an unknown one by the answer, ${how}`,
    happened: `the answers are ${[...messages].map((connack) => connack ?? 'none').join(' and ')}`,
    survived: messages.size === 1,
  });
  const share = shareLonger(known, others);
  const allowed = deviations * Math.sqrt((2 * pairs.length + 1) / (12 * pairs.length ** 2));
  report({
    tried: `tell them by how long it takes, ${how}`,
    happened: `of ${pairs.length} of each, the known one takes longer in ${Math.round(100 * share)} % of pairs; chance is ${Math.round(50 - 100 * allowed)} to ${Math.round(50 + 100 * allowed)} %`,
    survived: Math.abs(share - 0.5) <= allowed,
  });
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
