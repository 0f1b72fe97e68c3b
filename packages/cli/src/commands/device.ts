import { REVOCATION_REASONS } from '@moat/pki';
import type { Command } from 'commander';
import { examples } from '../help.js';
import { addConfigurationOptions } from '../local-broker.js';
import { integer, portNumber } from '../parse-argument.js';
import { addDevice } from './device/add.js';
import { enrolDevice } from './device/enrol.js';
import { inviteDevices } from './device/invite.js';
import { listInvites, withdrawInvite } from './device/invites.js';
import { listDevices } from './device/list.js';
import { renewDevice } from './device/renew.js';
import { revokeDevice } from './device/revoke.js';
import { showDevice } from './device/show.js';
import { signRequest } from './device/sign.js';

export function defineDevice(command: Command): void {
  command.addHelpText('after', examples('moat device add pump-7', 'moat device list', 'moat device revoke pump-7'));
  withPlace(
    withLife(
      sub(
        command,
        'add <name>',
        'issue a certificate for a device',
        'Issue a certificate for a device, and write all that it needs to connect into one folder.',
      ),
    ),
  )
    .option('--out <dir>', 'where to write ca.crt, client.crt, client.key and connection.json (default: ./NAME)')
    .addOption(
      command
        .createOption('--format <format>', 'write this besides: p12 for PKCS#12, c-header for microcontrollers')
        .choices(['p12', 'c-header']),
    )
    .option('--p12-password <reference>', 'of client.p12: env:NAME, file:PATH (default: one is made up and shown)')
    .addHelpText(
      'after',
      examples(
        'moat device add pump-7',
        'moat device add pump-7 --out /media/usb --days 90',
        'moat device add pump-7 --format p12 --p12-password env:P12',
      ),
    )
    .action(addDevice);
  withPlace(
    withLife(
      sub(
        command,
        'renew <name>',
        'issue the next certificate of a device',
        'Issue the next certificate of a device, for the key that is in its folder; without one, make a new bundle. The certificate before stays good until it ends.',
      ),
    ),
  )
    .option('--out <dir>', "the device's folder (default: ./NAME)")
    .addOption(
      // The broker says for how long, and the folder where it is.
      command
        .createOption('--over-mqtt', 'on the device: ask the broker, with the certificate in the folder')
        .conflicts(['days', 'hours', 'host', 'port']),
    )
    .option('--new-key', 'with --over-mqtt: make a new key, too')
    .addHelpText(
      'after',
      examples(
        'moat device renew pump-7',
        'moat device renew pump-7 --days 30',
        'moat device renew pump-7 --over-mqtt --new-key',
      ),
    )
    .action(renewDevice);
  sub(
    command,
    'revoke <name>',
    'revoke the certificates of a device',
    'Revoke every certificate of a device. If the broker runs, its connection ends at once.',
  )
    .addOption(
      command
        .createOption('--reason <reason>', 'why, for the revocation list')
        .choices(REVOCATION_REASONS)
        .default('privilegeWithdrawn'),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat device revoke pump-7', 'moat device revoke pump-7 --reason keyCompromise'))
    .action(revokeDevice);
  sub(command, 'list', 'list the certificates of devices', 'List the certificates of devices, oldest first.')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat device list', 'moat device list --json | jq -r .[].name'))
    .action(listDevices);
  sub(command, 'show <name>', 'show the certificates of a device', 'Show every certificate of a device, newest first.')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat device show pump-7', 'moat device show pump-7 --json'))
    .action(showDevice);
  withLife(
    sub(
      command,
      'sign <request>',
      'sign a certificate request of a device',
      'Sign a certificate request (PKCS#10, PEM or DER) of a device that made its key itself, and print its certificate. A dash reads standard input.',
    ),
  )
    .requiredOption('--name <name>', 'the device: the request must be for this common name')
    .option('--renew', 'the device has a valid certificate already')
    .option('--out <file>', 'write the certificate here')
    .addHelpText(
      'after',
      examples(
        'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -subj /CN=pump-7 -out pump-7.csr',
        'moat device sign pump-7.csr --name pump-7 --out pump-7.crt',
      ),
    )
    .action(signRequest);
  defineInvites(command);
}

/** How devices that have no certificate yet get one by themselves. */
function defineInvites(command: Command): void {
  withPlace(
    withLife(
      sub(
        command,
        'invite <names>',
        'let a device get its first certificate by itself',
        'Make an invite, with which a device gets its first certificate over MQTT: for one name, or for several devices whose names match a pattern with one *. The file holds a secret, and the authority to trust.',
      ),
    ),
  )
    .option('--count <n>', 'how many devices may use it', integer(1, 1_000_000), 1)
    .option('--expires <hours>', 'until when', integer(1, 87_600), 24)
    .option('--claim', 'a claim certificate in place of a token, for a series of devices that all hold the same')
    .option('--out <file>', 'where to write it (default: ./NAMES.invite)')
    .addHelpText(
      'after',
      examples('moat device invite pump-7', "moat device invite 'pump-*' --count 500 --expires 720 --claim"),
    )
    .action(inviteDevices);
  command
    .command('enroll <file>')
    .summary('on the device: use an invite')
    .description(
      'On the device: make a key, and get a certificate for it from the broker that an invite names. Interrupted, it can be called again.',
    )
    .option('--name <name>', 'which device this is, where the invite is for several')
    .option('--out <dir>', 'where to write ca.crt, client.crt, client.key and connection.json (default: ./NAME)')
    .addHelpText(
      'after',
      examples('moat device enroll pump-7.invite', 'moat device enroll pump-x.invite --name pump-8'),
    )
    .action(enrolDevice);
  sub(command, 'invites', 'list invites', 'List invites, oldest first, and which devices have used them.')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat device invites', 'moat device invites --json'))
    .action(listInvites);
  sub(command, 'withdraw <id>', 'withdraw an invite', 'Withdraw an invite. What was issued by it stays.')
    .addHelpText('after', examples('moat device withdraw 4f1c9a7de0b25386'))
    .action(withdrawInvite);
}

function sub(command: Command, usage: string, summary: string, description: string): Command {
  return addConfigurationOptions(command.command(usage).summary(summary).description(description));
}

function withLife(command: Command): Command {
  return command
    .option('--days <n>', 'how long the certificate is good for', integer(1, 3650), 365)
    .addOption(
      command
        .createOption('--hours <n>', 'the same in hours, for short-lived ones')
        .argParser(integer(1, 87_600))
        .conflicts('days'),
    );
}

function withPlace(command: Command): Command {
  return command
    .option('--host <host>', "where the device finds the broker (default: the first name in the server's certificate)")
    .option('--port <port>', 'and at which port (default: that of the first TLS listener)', portNumber);
}
