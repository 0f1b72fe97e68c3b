/** Aedes as its README shows it, in a process of its own: CERTFILE KEYFILE PLAIN_PORT SECURE_PORT. */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { Aedes } from 'aedes';

const [certfile = '', keyfile = '', plainPort, securePort] = process.argv.slice(2);
const broker = await Aedes.createBroker();
const credentials = { cert: readFileSync(certfile), key: readFileSync(keyfile), minVersion: 'TLSv1.3' as const };

net.createServer({ noDelay: true }, broker.handle).listen(Number(plainPort), '127.0.0.1');
tls.createServer({ ...credentials, noDelay: true }, broker.handle).listen(Number(securePort), '127.0.0.1');
