import { removeDirectory, scratchDirectory } from '@moat/testkit';
import { median, type Outcome } from './outcome.js';
import type { Certificate } from './peer/certificate.js';
import type { Peer } from './peer/peer.js';
import type { Effort, Sample, Scenario } from './scenario.js';

/**
 * Measures every scenario with every peer. The repeats of a scenario take turns among the peers, so that what else
 * the machine does falls on all of them. `say` is told of each measurement.
 */
export async function run(
  scenarios: readonly Scenario[],
  peers: readonly Peer[],
  effort: Effort,
  certificate: Certificate,
  say: (line: string) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const scenario of scenarios) {
    const reasons = new Map(peers.map((peer) => [peer, whyNot(scenario, peer)]));
    const able = peers.filter((peer) => reasons.get(peer) === undefined);
    const samples = new Map(able.map((peer) => [peer, { valid: [] as Sample[], failures: [] as string[] }]));
    for (let round = 1; round <= effort.repeat; round++) {
      for (const [peer, { valid, failures }] of samples) {
        try {
          const sample = await measureOnce(scenario, peer, effort, certificate);
          valid.push(sample);
          say(`${scenario.name} ${peer.name} ${round}/${effort.repeat}: ${brief(sample)}`);
        } catch (error) {
          failures.push((error as Error).message);
          say(`${scenario.name} ${peer.name} ${round}/${effort.repeat}: ${(error as Error).message}`);
        }
      }
    }
    for (const peer of peers) {
      const measured = samples.get(peer);
      const skipped = reasons.get(peer);
      if (skipped !== undefined) say(`${scenario.name} ${peer.name}: skipped: ${skipped}`);
      outcomes.push({
        scenario,
        peer: peer.name,
        median: median(measured?.valid ?? []),
        failures: measured?.failures ?? [],
        ...(skipped === undefined ? {} : { skipped }),
      });
    }
  }
  return outcomes;
}

/** Why a peer cannot be measured; undefined when it can. */
function whyNot({ qos = 0 }: Scenario, peer: Peer): string | undefined {
  return qos > (peer.maximumQos ?? 2) ? `it has no QoS ${qos}` : peer.missing?.();
}

/** In a broker of its own: what one scenario leaves behind does not weigh on the next. */
async function measureOnce(scenario: Scenario, peer: Peer, effort: Effort, certificate: Certificate): Promise<Sample> {
  const directory = scratchDirectory();
  try {
    const broker = await peer.start(directory, certificate);
    try {
      return await scenario.measure(broker, effort);
    } finally {
      await broker.stop();
    }
  } finally {
    removeDirectory(directory);
  }
}

function brief(sample: Sample): string {
  return Object.entries(sample)
    .map(([metric, value]) => `${metric} ${Number(value.toPrecision(3))}`)
    .join(', ');
}
