import {
  type Configuration,
  loadAccess,
  loadConfiguration,
  loadListenerTls,
  OperatorError,
  OperatorErrors,
} from '@moat/broker';
import type { Command } from 'commander';
import { examples } from '../help.js';
import { defaultFile } from '../local-broker.js';

export function defineCheck(command: Command): void {
  command
    .option('-c, --config <file>', 'configuration', defaultFile)
    .addHelpText(
      'after',
      `
Every mistake is one line, file:line:column: what is wrong. The exit code is 2 if there are any.
${examples('moat check -c moat.yaml')}`,
    )
    .action(async ({ config }: { config: string }) => {
      const configuration = await loadConfiguration(config);
      await checkFiles(configuration);
      console.log(`${config}: no mistakes found`);
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
