import type { Drill, Run } from '../drill.js';
import { knock, legitimates, sourceAddress } from '../knock.js';
import { clientIdOf } from '../workload/client.js';

/** Guesses under way at once. */
const atOnce = 8;
/** Addresses of the second half. */
const addresses = 500;

async function run({ broker, amount, signal, report }: Run): Promise<void> {
  const { address, legitimate } = broker;
  const username = legitimate?.username ?? 'admin';
  const clientId = clientIdOf(legitimate, 'guess');
  const one = Math.ceil(amount.count / 2);
  const guess = (index: number) =>
    knock(
      address,
      4,
      { username, password: `guess ${index}`, clientId: `${clientId}${index}` },
      sourceAddress(address, index < one ? 0 : 1 + (index % addresses)),
    );
  const enter = (from: number, name: string) =>
    knock(address, 4, { ...legitimate, clientId: clientIdOf(legitimate, name) }, sourceAddress(address, from));

  for (const [title, first, last] of [
    ['from one address', 0, one],
    [`from up to ${addresses} addresses`, one, amount.count],
  ] as const) {
    const counts = { welcome: 0, refused: 0, closed: 0 };
    for (let index = first; index < last && !signal.aborted; index += atOnce) {
      const some = Array.from({ length: Math.min(atOnce, last - index) }, (_, offset) => guess(index + offset));
      for (const { isWelcome, connack } of await Promise.all(some))
        counts[isWelcome ? 'welcome' : connack === undefined ? 'closed' : 'refused']++;
    }
    report({
      tried: `${counts.welcome + counts.refused + counts.closed} guesses at the password of ${username} ${title}`,
      happened: `${counts.welcome} let in, ${counts.refused} answered with a refusal, ${counts.closed} closed unanswered`,
      survived: counts.welcome === 0,
    });
  }
  if (legitimate === undefined) return;
  const again = await enter(0, 'guessed');
  report({
    tried: 'the right password at last, from the address that guessed',
    happened: again.isWelcome ? 'let in: the address is not locked out' : 'refused: the address is locked out',
    survived: true,
  });
  const own = sourceAddress(address, 0, legitimates);
  const victim = await knock(address, 4, { ...legitimate, clientId: clientIdOf(legitimate, 'victim') }, own);
  report({
    tried: 'the victim, from its own address',
    happened: victim.isWelcome ? 'let in' : 'refused',
    survived: victim.isWelcome,
  });
}

export const bruteForce: Drill = {
  name: 'brute-force',
  summary: 'Passwords of one user are guessed, from one address and from many, while she uses the broker',
  seenIn: 'Mosquitto #2076',
  unit: 'guesses',
  intensity: { small: { count: 40, seconds: 15 }, full: { count: 1_000, seconds: 60 } },
  workload: { connects: 0.99, messages: 0.95, growthMiB: 256 },
  // Each is an Argon2id hash, which a machine that is busy with others takes long for.
  visits: 2,
  needs: 'address',
  run,
};
