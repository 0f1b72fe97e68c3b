import { type Configuration, loadAccess, loadListenerTls, OperatorError, OperatorErrors } from '@moat/broker';
import type { Command } from 'commander';
import { examples } from '../help.js';
import { addConfigurationOptions, type ConfigurationOptions, findConfiguration } from '../local-broker.js';

export function defineCheck(command: Command): void {
  addConfigurationOptions(command)
    .addHelpText(
      'after',
      `
Every mistake is one line, file:line:column: what is wrong. The exit code is 2 if there are any.
${examples('moat check', 'moat check -c /etc/moat/moat.yaml')}`,
    )
    .action(async (options: ConfigurationOptions) => {
      const { file, configuration } = await findConfiguration(options);
      await checkFiles(configuration);
      console.log(`${file ?? `${configuration.data_dir}, by the defaults`}: no mistakes found`);
    });
}

/**
 * Reads every file that a broker would read: users, policy, keys and certificates.
 *
 * @throws OperatorErrors with what is wrong in any of them
 */
async function checkFiles(configuration: Configuration): Promise<void> {
  const tls = configuration.listeners.filter((listener) => 'certfile' in listener);
  const late: OperatorError[] = [];
  const results = await Promise.allSettled([
    loadAccess(configuration),
    ...tls.map((listener) =>
      loadListenerTls(listener, configuration.limits, {
        listExpired(issuer, nextUpdate) {
          if (listener.crl_expired === 'warn') return;
          const message = `the revocation list of ${issuer} ran out on ${nextUpdate.toISOString()}: its certificates are refused`;
          late.push(new OperatorError('tls.invalid', message, { hint: 'put a newer list in place' }));
        },
        unanswered: (reason) => late.push(new OperatorError('tls.invalid', reason)),
      }),
    ),
  ]);
  const reasons = [...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])), ...late];
  if (reasons.length === 0) return;
  // Two listeners may name the same broken file.
  const mistakes = reasons.flatMap((reason) => (reason instanceof OperatorErrors ? reason.errors : [reason]));
  throw new OperatorErrors([...new Map(mistakes.map((mistake) => [String(mistake), mistake])).values()]);
}
