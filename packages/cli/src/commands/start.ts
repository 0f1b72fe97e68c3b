import { once } from 'node:events';
import { Broker, type Configuration, withPlainListener } from '@moat/broker';
import type { Command } from 'commander';
import { examples } from '../help.js';
import { addConfigurationOptions, type ConfigurationOptions, findConfiguration } from '../local-broker.js';
import { createLogger } from '../log/logger.js';
import { portNumber } from '../parse-argument.js';
import { authorityForDevices } from '../setup/authority-for-devices.js';
import { keepUpCertificates } from '../setup/certificate-upkeep.js';
import { ensureDataDirectory } from '../setup/data-directory.js';
import { handOver } from '../setup/hand-over.js';
import { inlineFurther } from '../setup/inline-further.js';
import { ServiceManager } from '../setup/service-manager.js';

interface StartOptions extends ConfigurationOptions {
  readonly port?: number;
  readonly verbose?: true;
}

/** Milliseconds until a broker that is told to stop has stopped. */
const patience = 9_000;

const day = 86_400_000;

export function defineStart(command: Command): void {
  addConfigurationOptions(command)
    .option('-p, --port <port>', 'one plain listener on loopback in place of all others', portNumber)
    .option('-v, --verbose', 'log at level debug')
    .addHelpText(
      'after',
      `
The first start makes the data directory with an authority, a server certificate, the user admin and a policy.
SIGHUP reads configuration, certificates, users and policy again; SIGTERM and SIGINT end the broker.
${examples('moat start', 'moat start -c /etc/moat/moat.yaml', 'moat start -p 1883 --data-dir /tmp/moat -v')}`,
    )
    .action(start);
}

async function start(options: StartOptions): Promise<void> {
  inlineFurther();
  const configuration = await readConfiguration(options);
  const log = createLogger(configuration.log);
  const manager = new ServiceManager(process.env, log);
  const { admin } = await ensureDataDirectory(configuration, { hosts: [], now: new Date() });
  if (admin) await handOver(configuration, admin, log);
  await keepUpCertificates(configuration, new Date(), log);
  // Before anybody can see that it is ready, and send a signal.
  const signalled = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  const authority = await authorityForDevices(configuration, log);
  const starting = Broker.start({ configuration, log, ...(authority === undefined ? {} : { authority }) });
  const reload = reloadOnSignal(starting, options, log, manager);
  const broker = await starting;
  manager.ready(() => statusOf(broker));
  const upkeep = setInterval(async () => {
    const { server, revocationList } = await keepUpCertificates(configuration, new Date(), log);
    if (server || revocationList) reload();
  }, day);
  upkeep.unref();
  const [signal] = await signalled;
  log.info({ signal }, 'stopping');
  manager.stopping();
  setTimeout(() => process.exit(0), patience).unref();
  await broker.stop();
  log.info('stopped');
}

async function readConfiguration(options: StartOptions): Promise<Configuration> {
  const { configuration: found } = await findConfiguration(options);
  const configuration = options.port === undefined ? found : withPlainListener(found, options.port);
  return options.verbose ? { ...configuration, log: { ...configuration.log, level: 'debug' } } : configuration;
}

/** For whoever supervises the broker. */
function statusOf(broker: Broker): string {
  const listeners = broker.listeners.map(({ protocol, port }) => `${protocol} ${port}`).join(', ');
  return `${broker.status().connections} clients, listening: ${listeners}`;
}

/** What cannot be read is told and changes nothing. One reload ends before the next begins. */
function reloadOnSignal(
  starting: Promise<Broker>,
  options: StartOptions,
  log: ReturnType<typeof createLogger>,
  manager: ServiceManager,
): () => void {
  let last = Promise.resolve();
  const reload = (): void => {
    last = last.then(async () => {
      const broker = await starting.catch(() => undefined);
      if (broker === undefined) return;
      manager.reloading();
      try {
        const configuration = await readConfiguration(options);
        await broker.reload(configuration);
        log.level = configuration.log.level;
      } catch (error) {
        log.error({ reason: String(error) }, 'cannot reload; what was in force stays');
      } finally {
        manager.ready(() => statusOf(broker));
      }
    });
  };
  process.on('SIGHUP', reload);
  return reload;
}
