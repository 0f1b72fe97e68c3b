export { Policy } from './compile.js';
export type { Subject } from './facts.js';
export { readPolicy } from './parse.js';
