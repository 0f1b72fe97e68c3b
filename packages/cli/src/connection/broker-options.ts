import { type AuthMethod, authMethods } from '@moat/client';
import type { Command } from 'commander';
import { addConfigurationOptions, type ConfigurationOptions } from '../local-broker.js';
import { integer, portNumber } from '../parse-argument.js';

/** Which broker, and who we are: the options that `pub`, `sub` and `bench` share, named as Mosquitto names them. */
export interface BrokerOptions extends ConfigurationOptions {
  readonly host?: string;
  readonly port?: number;
  readonly url?: string;
  readonly connection?: string;
  readonly username?: string;
  readonly password?: string;
  readonly cafile?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly tlsVersion?: 'tlsv1.2' | 'tlsv1.3';
}

export function addBrokerOptions(command: Command): Command {
  command
    .helpOption('--help', 'display help for command')
    .option('-h, --host <host>', 'the broker (default: the local one, by its data directory)')
    .option('-p, --port <port>', 'its port (default: 8883; 1883 and 8083 are plain, 8884 is wss)', portNumber)
    .option('--url <url>', 'mqtts://HOST:PORT, wss://HOST:PORT/PATH, or plain mqtt:// and ws://')
    .option('--connection <file>', 'a connection.json, as moat device add writes it')
    .option('-u, --username <name>', 'user name')
    .option('-P, --password <password>', 'password; others can see it here, so better MOAT_PASSWORD or at the prompt')
    .option('--cafile <file>', 'authorities to trust (PEM)')
    .option('--cert <file>', 'client certificate (PEM)')
    .option('--key <file>', 'private key of the client certificate (PEM)')
    .addOption(command.createOption('--tls-version <version>', 'the least accepted').choices(['tlsv1.2', 'tlsv1.3']));
  return addConfigurationOptions(command);
}

/** What a session is like: the options that `pub` and `sub` share. */
export interface SessionOptions {
  readonly auth?: AuthMethod;
  readonly renew?: true;
  readonly id?: string;
  readonly protocolVersion: string;
  readonly keepalive?: number;
  readonly qos: 0 | 1 | 2;
  readonly quiet?: true;
  readonly property?: string[];
  readonly willTopic?: string;
  readonly willPayload?: string;
  readonly willQos?: 0 | 1 | 2;
  readonly willRetain?: true;
}

const versions = ['mqttv5', 'mqttv311', 'mqttv31', '5', '3.1.1', '3.1'];

export function addSessionOptions(command: Command): Command {
  return command
    .addOption(
      command.createOption('--auth <method>', 'prove the password without sending it (MQTT 5.0)').choices(authMethods),
    )
    .option('-i, --id <id>', 'client ID (default: the user name, a colon and random letters)')
    .addOption(
      command.createOption('-V, --protocol-version <version>', 'version of MQTT').choices(versions).default('5'),
    )
    .option(
      '-k, --keepalive <seconds>',
      'seconds without a word before the connection counts as lost (default: 60)',
      integer(0, 65_535),
    )
    .addOption(command.createOption('-q, --qos <qos>', 'QoS').choices(['0', '1', '2']).default(0).argParser(qos))
    .option('-D, --property <words...>', 'COMMAND NAME VALUE, such as: publish content-type text/plain')
    .option('--renew', 'with --connection: renew the certificate in its folder when it is due')
    .option('--quiet', 'say nothing about lost connections')
    .option('--will-topic <topic>', 'topic of the message that is sent when this client is lost')
    .option('--will-payload <text>', 'its payload')
    .addOption(command.createOption('--will-qos <qos>', 'its QoS').argParser(qos))
    .option('--will-retain', 'retain it');
}

const qos = integer(0, 2);
