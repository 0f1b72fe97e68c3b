import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Broker, type Configuration, parseConfiguration } from '@moat/broker';
import { LoadProcess } from '@moat/cli/load';
import { removeDirectory, scratchDirectory } from '@moat/testkit';
import { host } from '../peer/peer.js';
import { fleet, policyText } from './fleet.js';
import { connections, type Pause } from './live.js';

/**
 * A process with one broker, which gets one policy after another and tells how long each holds its event loop up. Garbage of
 * other measurements, which would be collected meanwhile, has no part in it.
 */

const log = {
  debug() {},
  info() {},
  warn() {},
  error(fields: object) {
    process.stderr.write(`${JSON.stringify(fields)}\n`);
  },
};
const open = '- { allow: [publish, subscribe, receive], topics: bench/# }\n';

async function measure(tell: (pause: Pause) => void): Promise<void> {
  const directory = scratchDirectory();
  const file = join(directory, 'policy.yaml');
  const configuration = configurationFor(directory);
  const small = policyText(fleet(1_000));
  writeFileSync(file, small + open);
  const broker = await Broker.start({ configuration, log });
  const port = broker.listeners[0]?.port ?? 0;
  const target = { host, port };
  const load = await LoadProcess.open({
    kind: 'traffic',
    target,
    publishers: 1,
    subscribers: connections,
    qos: 0,
    payloadBytes: 64,
    window: 1,
  });
  try {
    const idle = await pauseOf(() => new Promise((resolve) => setTimeout(resolve, 1_000)));
    tell({ what: 'none, no reload', ...idle });
    for (const [what, policy] of [
      ['1,000 rules, nothing lost', `${small}# again\n${open}`],
      ['100,000 rules, nothing lost', policyText(fleet(100_000)) + open],
      ['1,000 rules, every subscription lost', small],
    ] as const) {
      writeFileSync(file, policy);
      tell({ what, ...(await pauseOf(() => broker.reload(configuration))) });
    }
    const { subscriptions } = broker.status();
    if (subscriptions !== 0) throw new Error(`${subscriptions} subscriptions are left`);
  } finally {
    load.kill();
    await broker.stop();
    removeDirectory(directory);
  }
}

async function pauseOf(work: () => Promise<unknown>): Promise<{ pause: number; took: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await new Promise((resolve) => setTimeout(resolve, 500));
  delay.enable();
  const start = performance.now();
  await work();
  const took = performance.now() - start;
  await new Promise((resolve) => setTimeout(resolve, 50));
  delay.disable();
  return { pause: delay.max / 1e6, took };
}

function configurationFor(directory: string): Configuration {
  const text = JSON.stringify({
    data_dir: directory,
    listeners: [{ protocol: 'mqtt', port: 0, max_connections: 20_000 }],
    authentication: { allow_anonymous: true },
    authorization: { default: 'deny' },
    limits: { profile: 'off' },
    storage: { engine: 'memory' },
    sys_interval: 0,
  });
  return parseConfiguration(text, join(directory, 'moat.yaml'));
}

await measure((pause) => process.send?.(pause));
process.disconnect();
