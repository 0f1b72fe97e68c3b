import { Duplex } from 'node:stream';
import { connect } from 'node:tls';

/** What a client of TLS 1.3 says first, as Node.js says it; a server answers it however often it is repeated. */
export function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const line = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(Buffer.from(chunk));
        done();
      },
    });
    connect({ socket: line, minVersion: 'TLSv1.3', servername: 'localhost' }).on('error', () => {});
  });
}

/** The same with a promise of early data (RFC 8446 §4.2.10), and so many bytes of it, which nobody can decrypt. */
export function withEarlyData(hello: Buffer, bytes: number): Buffer {
  const extension = Buffer.from('002a0000', 'hex');
  const longer = Buffer.concat([hello, extension]);
  const grow = (offset: number): void => {
    longer.writeUInt16BE(longer.readUInt16BE(offset) + extension.length, offset);
  };
  grow(3); // the record
  grow(7); // the handshake message, of which the length has three bytes
  grow(extensionsOf(hello));
  const record = Buffer.alloc(5 + bytes, 0x5a);
  record.set(Buffer.from('170303', 'hex'));
  record.writeUInt16BE(bytes, 3);
  return Buffer.concat([longer, record]);
}

/** Where the length of the extensions stands (RFC 8446 §4.1.2). */
function extensionsOf(hello: Buffer): number {
  const sessionId = 5 + 4 + 2 + 32;
  const suites = sessionId + 1 + hello.readUInt8(sessionId);
  const compressions = suites + 2 + hello.readUInt16BE(suites);
  return compressions + 1 + hello.readUInt8(compressions);
}
