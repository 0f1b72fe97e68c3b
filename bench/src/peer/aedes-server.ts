/**
 * Aedes as its README shows it, in a process of its own: CERTFILE KEYFILE PLAIN_PORT SECURE_PORT, and the socket of a Redis
 * if that is to keep its state.
 */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { Aedes } from 'aedes';
import redisPersistence from 'aedes-persistence-redis';

const [certfile = '', keyfile = '', plainPort, securePort, redis] = process.argv.slice(2);
// A subscriber that returns gets all of its queue.
const options = redis === undefined ? {} : { persistence: redisPersistence({ path: redis, maxSessionDelivery: 1e9 }) };
const broker = await Aedes.createBroker(options);
const credentials = { cert: readFileSync(certfile), key: readFileSync(keyfile), minVersion: 'TLSv1.3' as const };

net.createServer({ noDelay: true }, broker.handle).listen(Number(plainPort), '127.0.0.1');
tls.createServer({ ...credentials, noDelay: true }, broker.handle).listen(Number(securePort), '127.0.0.1');
