import type { Command } from 'commander';
import { examples } from '../help.js';
import { addConfigurationOptions } from '../local-broker.js';
import { gather, integer } from '../parse-argument.js';
import { signList } from './pki/crl.js';
import { importAuthority } from './pki/import.js';
import { parseBind, respond } from './pki/ocsp.js';
import { certifyResponder } from './pki/responder.js';

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
  addConfigurationOptions(
    command
      .command('responder')
      .summary('certify a responder, so that answers need no key of the authority')
      .description(
        "Certify a key for moat pki ocsp (RFC 6960 §4.2.2.2), which then signs with it: the authority's own key need not be where the responder runs.",
      ),
  )
    .option('--days <n>', 'how long it is good for; nobody can revoke it', integer(1, 365), 30)
    .addHelpText('after', examples('moat pki responder', 'moat pki responder --days 7'))
    .action(certifyResponder);
  addConfigurationOptions(
    command
      .command('import')
      .summary('take over an issuing authority of your own')
      .description(
        'Take over an issuing authority that your own authority has made, before the first start: its certificate with the chain up to the root, and its key, which stays encrypted if it is.',
      ),
  )
    .requiredOption('--chain <file>', 'its certificate and all above it, the root included, in any order (PEM)')
    .requiredOption('--key <file>', 'its key (PEM)')
    .option('--key-passphrase <reference>', 'of an encrypted key: env:NAME or file:PATH')
    .option('--crl <file>', 'revocation list of an authority above; may be given several times', gather, [])
    .option('--without-crl', 'there are none, and no listener has a crlfile')
    .option('--host <name>', 'a name that clients reach this broker by; may be given several times', gather, [])
    .addHelpText(
      'after',
      examples(
        'moat pki import --chain plant-chain.pem --key plant.key --key-passphrase file:/run/secrets/plant --crl company.crl',
      ),
    )
    .action(importAuthority);
}
