import { Broker } from '../../dist/index.js';
import { portOf, silent, testConfiguration } from '../support/broker.js';

// A broker to be traced: `node traced-broker.js DIRECTORY`. It keeps its state on disk, and writes its port.

const [, , directory = ''] = process.argv;
const configuration = testConfiguration(directory, { storage: { engine: 'lmdb' } });
const broker = await Broker.start({ configuration, log: silent });
process.stdout.write(`${portOf(broker)}\n`);
