/**
 * Aedes as its README shows it, in a process of its own: CERTFILE KEYFILE CAFILE CRLFILE PLAIN_PORT SECURE_PORT MUTUAL_PORT,
 * and the socket of a Redis if that is to keep its state.
 */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { Aedes } from 'aedes';
import redisPersistence from 'aedes-persistence-redis';

const [certfile = '', keyfile = '', cafile = '', crlfile = '', ...rest] = process.argv.slice(2);
const [plainPort, securePort, mutualPort] = rest.slice(0, 3).map(Number);
const redis = rest[3];
// A subscriber that returns gets all of its queue.
const options = redis === undefined ? {} : { persistence: redisPersistence({ path: redis, maxSessionDelivery: 1e9 }) };
const broker = await Aedes.createBroker(options);
const credentials = { cert: readFileSync(certfile), key: readFileSync(keyfile), minVersion: 'TLSv1.3' as const };

const clients = { ca: readFileSync(cafile), crl: readFileSync(crlfile), requestCert: true, rejectUnauthorized: true };

net.createServer({ noDelay: true }, broker.handle).listen(plainPort, '127.0.0.1');
tls.createServer({ ...credentials, noDelay: true }, broker.handle).listen(securePort, '127.0.0.1');
tls.createServer({ ...credentials, ...clients, noDelay: true }, broker.handle).listen(mutualPort, '127.0.0.1');
