import { fillStore } from './fleet.js';

const [directory = '', sessions, retained, queued] = process.argv.slice(2);
await fillStore(directory, { sessions: Number(sessions), retained: Number(retained), queued: Number(queued) });
