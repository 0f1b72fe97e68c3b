import { Socket } from 'node:net';

/** V8 keeps no notes on a copy until it has been made some fifteen times. */
const enough = 50;

let done = false;

/**
 * Has the options of all sockets be of one shape, for this process and once.
 *
 * Node.js copies the options of each socket (`{ ...options }`) and adds to the copy. V8 11.3 learns to make such copies fast, and from
 * then on each has hidden classes of its own: the thirty places that look at the options look everything up, which takes 7
 * microseconds a socket (TLS has two), and a kilobyte of hidden classes stays until the old heap is collected. It never learns that where
 * it was given a dictionary, as an object without a prototype is.
 */
export function makeSocketsAlike(): void {
  if (done) return;
  done = true;
  for (let times = 0; times < enough; times++) void new Socket(Object.create(null) as object);
}
