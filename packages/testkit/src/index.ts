export { withDeadline } from './deadline.js';
export { launchMosquitto, type Mosquitto, startMosquitto } from './mosquitto.js';
export { needs } from './needs.js';
export { python } from './programs.js';
export { Random } from './random.js';
export { RawClient } from './raw-client.js';
export { type Finished, run } from './run.js';
export { temporaryDirectory } from './temporary-directory.js';
export { freePort, waitFor } from './wait.js';
