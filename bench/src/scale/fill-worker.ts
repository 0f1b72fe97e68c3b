import { fillStore } from './fleet.js';

const [directory = '', sessions, retained] = process.argv.slice(2);
await fillStore(directory, { sessions: Number(sessions), retained: Number(retained) });
