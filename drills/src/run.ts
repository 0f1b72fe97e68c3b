import { setTimeout as pause } from 'node:timers/promises';
import { removeDirectory, residentBytes, scratchDirectory, withDeadline } from '@moat/testkit';
import type { Broker, Peer, PreparedBroker, Setup } from './broker/broker.js';
import { makeSetup } from './broker/setup.js';
import type { Amount, Attempt, Drill, Intensity } from './drill.js';
import { type Effect, faultsOf, type Result } from './result.js';
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
const grace = 20_000;
const lookEvery = 100;

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
        : await attack(drill, broker, intensity, watcher, (run) => drill.run({ ...run, broker }));
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
    const started = await peer.start(directory, setup, { cheapPasswords: drill.cheapPasswords ?? false });
    broker = started;
    return await attack(drill, started, intensity, watcher, (run) => drill.run({ ...run, broker: started }));
  } finally {
    await broker?.stop();
    removeDirectory(directory);
  }
}

interface Means {
  readonly amount: Amount;
  readonly signal: AbortSignal;
  report(attempt: Attempt): void;
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
  const going = async (): Promise<void> => {
    const limit = amount.seconds * 1_000;
    const signal = AbortSignal.timeout(limit);
    try {
      await withDeadline(act({ amount, signal, report }), () => 'it goes on beyond its time', limit + grace);
    } catch (error) {
      report({ tried: 'to the end', happened: (error as Error).message.split('\n')[0] ?? '', survived: false });
    }
  };
  const effect = drill.workload === undefined ? await going() : await measured(broker, intensity, going);
  if (!(await broker.isAlive())) report({ tried: 'is it still there', happened: 'it is gone', survived: false });
  const faults = faultsOf(attempts, effect ?? undefined, drill.workload);
  const base = { drill: drill.name, peer: broker.name, intensity, attempts, faults };
  return effect === undefined ? base : { ...base, effect };
}

async function measured(broker: Broker, intensity: Intensity, going: () => Promise<void>): Promise<Effect> {
  const { address, legitimate } = broker;
  const { quiet, patience } = spans[intensity];
  const workload = await Workload.open({ address, legitimate, patience });
  try {
    const before = await workload.during(() => pause(quiet));
    const memoryBefore = memoryOf(broker);
    let most = memoryBefore;
    const watch = setInterval(() => {
      most = Math.max(most, memoryOf(broker));
    }, lookEvery);
    const during = await workload.during(going).finally(() => clearInterval(watch));
    const after = await workload.during(() => pause(quiet));
    const memory =
      broker.pids.length === 0 ? undefined : { before: memoryBefore, during: most, after: memoryOf(broker) };
    return { workload: { before, during, after }, memory };
  } finally {
    workload.close();
  }
}

/** Resident bytes; 0 once the broker is gone, which is told otherwise. */
function memoryOf({ pids }: Broker): number {
  try {
    return residentBytes(pids);
  } catch {
    return 0;
  }
}
