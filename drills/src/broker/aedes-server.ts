/** Aedes in a process of its own: FILE says what it is to serve. */
import { timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { host, type Ports, type Setup } from './broker.js';

type Settings = Pick<Setup, 'users' | 'certfile' | 'keyfile' | 'cafile' | 'crlfile'> & { readonly ports: Ports };

const { ports, users, ...files } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Settings;
/** Who has shown a certificate that counts. */
const certified = new WeakSet<Duplex>();

const broker = await Aedes.createBroker({
  authenticate(client, username, password, done) {
    const wanted = Buffer.from(new Map(Object.entries(users)).get(username ?? '') ?? '');
    const given = Buffer.from(password ?? '');
    const known = wanted.length > 0 && wanted.length === given.length && timingSafeEqual(wanted, given);
    done(null, known || certified.has(client.conn));
  },
});

function certify(connection: Duplex): void {
  certified.add(connection);
  broker.handle(connection);
}

const server = { cert: readFileSync(files.certfile), key: readFileSync(files.keyfile), minVersion: 'TLSv1.3' as const };
const mutual = {
  ...server,
  ca: readFileSync(files.cafile),
  crl: readFileSync(files.crlfile),
  requestCert: true,
  rejectUnauthorized: true,
};

function webSockets(options: object, serve: (connection: Duplex) => void) {
  const https = createHttpsServer(options);
  new WebSocketServer({ server: https }).on('connection', (socket) => {
    serve(createWebSocketStream(socket).on('error', () => {}));
  });
  return https;
}

createServer({ noDelay: true }, broker.handle).listen(ports.mqtt, host);
createTlsServer(server, broker.handle).listen(ports.mqtts, host);
webSockets(server, broker.handle).listen(ports.wss, host);
createTlsServer(mutual, certify).listen(ports.mqttsCertificate, host);
webSockets(mutual, certify).listen(ports.wssCertificate, host);
