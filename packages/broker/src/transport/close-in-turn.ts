import { Fifo } from '../fifo.js';

/** How many are closed in one turn of the event loop: about three milliseconds of work. */
const perTurn = 50;

/** What is closed, such as a socket. */
interface Closable {
  destroy(): unknown;
}

const waiting = new Fifo<Closable>();
let closedThisTurn = 0;
let turnEnds = false;

/**
 * Closes what its peer has left, at once, or in a later turn of the event loop where many are left at the same time: libuv tells of
 * thousands of ends in one turn, and whoever stays is not to wait for all of them.
 */
export function closeInTurn(one: Closable): void {
  waiting.push(one);
  closeSome();
}

function closeSome(): void {
  while (closedThisTurn < perTurn && waiting.length > 0) {
    closedThisTurn++;
    waiting.shift()?.destroy();
  }
  if (turnEnds || closedThisTurn === 0) return;
  turnEnds = true;
  setImmediate(() => {
    turnEnds = false;
    closedThisTurn = 0;
    closeSome();
  });
}
