/** Milliseconds that anything may take on a machine that has much else to do. A file that stands still for a minute is ended. */
export const patience = 45_000;
