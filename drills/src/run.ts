import { setTimeout as pause } from 'node:timers/promises';
import { removeDirectory, residentBytes, roughResidentBytes, scratchDirectory, withDeadline } from '@moat/testkit';
import { runApart } from './apart/apart.js';
import type { Broker, Peer, PreparedBroker, Setup, Wishes } from './broker/broker.js';
import { makeSetup } from './broker/setup.js';
import type { Amount, Attempt, Drill, Expectation, Intensity } from './drill.js';
import { type Effect, faultsOf, hasRemained, type Result } from './result.js';
import { Workload } from './workload/workload.js';

/** Told of a drill while it goes on. */
export interface Watcher {
  begun?(drill: Drill, peer: string): void;
  attempted?(attempt: Attempt): void;
  ended?(result: Result): void;
}

/** How long the quiet before and after the attack is measured, and what counts as in time, in milliseconds. */
const spans: Readonly<Record<Intensity, { readonly quiet: number; readonly patience: number }>> = {
  // Machines that run tests are busy with others.
  small: { quiet: 500, patience: 10_000 },
  full: { quiet: 4_000, patience: 1_000 },
};

/** How long a drill may take to notice that its time is over, and how often memory is looked at, in milliseconds. */
const grace = 60_000;
const lookEvery = 100;
/** How long memory may take to come back: garbage is collected for good when a process has had little to do for a while. */
const settling = 45_000;

/** Runs drills one after the other, each with a fresh broker of every peer. */
export async function runWithPeers(
  drills: readonly Drill[],
  peers: readonly Peer[],
  intensity: Intensity,
  watcher: Watcher = {},
): Promise<Result[]> {
  const directory = scratchDirectory();
  const results: Result[] = [];
  try {
    const setup = await makeSetup(directory);
    for (const drill of drills) {
      for (const peer of peers) {
        const skipped = drill.notFor?.[peer.name] ?? peer.missing();
        const unfit = skipped === undefined ? undefined : skip(drill, peer.name, intensity, skipped);
        const result = unfit ?? (await runWithPeer(drill, peer, setup, intensity, watcher));
        watcher.ended?.(result);
        results.push(result);
      }
    }
  } finally {
    removeDirectory(directory);
  }
  return results;
}

/** Runs drills against a broker that is there already; those that need one set up for them are not tried. */
export async function runWithTarget(
  drills: readonly Drill[],
  broker: Broker,
  intensity: Intensity,
  watcher: Watcher = {},
): Promise<Result[]> {
  const results: Result[] = [];
  for (const drill of drills) {
    const result =
      drill.needs === 'setup'
        ? skip(drill, broker.name, intensity, 'needs a broker that it sets up itself')
        : await attack(drill, broker, intensity, watcher, (means) => apart(drill, broker, means));
    watcher.ended?.(result);
    results.push(result);
  }
  return results;
}

function skip({ name }: Drill, peer: string, intensity: Intensity, skipped: string): Result {
  return { drill: name, peer, intensity, attempts: [], faults: [], skipped };
}

async function runWithPeer(
  drill: Drill,
  peer: Peer,
  setup: Setup,
  intensity: Intensity,
  watcher: Watcher,
): Promise<Result> {
  const directory = scratchDirectory();
  let broker: PreparedBroker | undefined;
  try {
    const started = await peer.start(directory, setup, wishesOf(drill));
    broker = started;
    return await attack(drill, started, intensity, watcher, (means) =>
      drill.needs === 'address'
        ? apart(drill, started, means)
        : inTime(drill.run({ ...means, broker: started }), means),
    );
  } finally {
    await broker?.stop();
    removeDirectory(directory);
  }
}

function wishesOf({ cheapPasswords, neverLockedOut }: Drill): Wishes {
  return { cheapPasswords: cheapPasswords ?? false, neverLockedOut: neverLockedOut ?? false };
}

interface Means {
  readonly amount: Amount;
  readonly signal: AbortSignal;
  report(attempt: Attempt): void;
}

function apart({ name: drill }: Drill, broker: Broker, { amount, report }: Means): Promise<void> {
  const { name, address, secure, legitimate, insider } = broker;
  const target = { name, address, secure, legitimate, insider };
  return runApart({ drill, target, amount }, report, amount.seconds * 1_000 + grace);
}

function inTime(work: Promise<void>, { amount }: Means): Promise<void> {
  return withDeadline(work, () => 'it goes on beyond its time', amount.seconds * 1_000 + grace);
}

async function attack(
  drill: Drill,
  broker: Broker,
  intensity: Intensity,
  watcher: Watcher,
  act: (means: Means) => Promise<void>,
): Promise<Result> {
  watcher.begun?.(drill, broker.name);
  const amount = drill.intensity[intensity];
  const attempts: Attempt[] = [];
  const report = (attempt: Attempt): void => {
    attempts.push(attempt);
    watcher.attempted?.(attempt);
  };
  const told = (error: Error): undefined => {
    report({ tried: 'to the end', happened: error.message.split('\n')[0] ?? '', survived: false });
  };
  const going = (): Promise<void> =>
    act({ amount, signal: AbortSignal.timeout(amount.seconds * 1_000), report }).catch(told);
  const expected = expectedOf(drill, intensity);
  const effect =
    expected === undefined
      ? await going()
      : await measured(broker, intensity, drill.visits ?? 10, expected, going).catch(told);
  if (!(await broker.isAlive())) report({ tried: 'is it still there', happened: 'it is gone', survived: false });
  const faults = faultsOf(attempts, effect ?? undefined, expected);
  const base = { drill: drill.name, peer: broker.name, intensity, attempts, faults };
  return effect === undefined ? base : { ...base, effect };
}

/** At small intensity nothing is expected of what a machine that is busy with others cannot keep: times, and memory in the end. */
function expectedOf({ workload }: Drill, intensity: Intensity): Expectation | undefined {
  if (workload === undefined || intensity === 'full') return workload;
  const { connects, messages, growthMiB } = workload;
  return { connects, messages, growthMiB };
}

async function measured(
  broker: Broker,
  intensity: Intensity,
  visits: number,
  expected: Expectation,
  going: () => Promise<void>,
): Promise<Effect> {
  const { address, secure, legitimate } = broker;
  const { quiet, patience } = spans[intensity];
  const addresses = [address, ...(secure === undefined ? [] : [secure])] as const;
  const workload = await Workload.open({ addresses, legitimate, patience, visits });
  try {
    const before = await workload.during(() => pause(quiet));
    const memoryBefore = memoryOf(broker);
    let most = memoryBefore;
    const watch = setInterval(() => {
      most = Math.max(most, memoryOf(broker, roughResidentBytes));
    }, lookEvery);
    const during = await workload.during(going).finally(() => clearInterval(watch));
    const after = await workload.during(() => pause(quiet));
    const memoryAfter = await memorySettled(broker, memoryBefore, expected);
    const memory = broker.pids.length === 0 ? undefined : { before: memoryBefore, during: most, after: memoryAfter };
    return { workload: { before, during, after }, memory };
  } finally {
    workload.close();
  }
}

/** What is held in the end: as soon as that is no more than may be, or once there was time enough for it. */
async function memorySettled(broker: Broker, before: number, expected: Expectation): Promise<number> {
  const deadline = performance.now() + settling;
  for (;;) {
    const after = memoryOf(broker);
    if (!hasRemained({ before, after }, expected) || performance.now() > deadline) return after;
    await pause(1_000);
  }
}

/** Resident bytes; 0 once the broker is gone, which is told otherwise. */
function memoryOf({ pids }: Broker, look = residentBytes): number {
  try {
    return look(pids);
  } catch {
    return 0;
  }
}
