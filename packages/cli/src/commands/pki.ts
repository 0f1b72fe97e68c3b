import type { Command } from 'commander';
import { examples } from '../help.js';
import { addConfigurationOptions } from '../local-broker.js';
import { integer } from '../parse-argument.js';
import { signList } from './pki/crl.js';
import { parseBind, respond } from './pki/ocsp.js';

export function definePki(command: Command): void {
  command.addHelpText('after', examples('moat pki crl', 'moat pki ocsp --bind 127.0.0.1:8888'));
  addConfigurationOptions(
    command
      .command('crl')
      .summary('sign the revocation list anew')
      .description('Sign the revocation list anew, with the next number and a full life, and print where it is.'),
  )
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat pki crl', 'openssl crl -in "$(moat pki crl)" -noout -text'))
    .action(signList);
  addConfigurationOptions(
    command
      .command('ocsp')
      .summary('answer questions about certificates')
      .description(
        'Answer OCSP requests (RFC 6960) about the certificates of the authority, over HTTP, until SIGINT or SIGTERM.',
      ),
  )
    .option('--bind <address:port>', 'where to listen; port 0 lets the system choose one', parseBind, {
      host: '127.0.0.1',
      port: 8888,
    })
    .option('--valid <minutes>', 'for how long an answer may be kept', integer(1, 10_080), 10)
    .addHelpText('after', examples('moat pki ocsp', 'moat pki ocsp --bind [::1]:8888 --valid 60'))
    .action(respond);
}
