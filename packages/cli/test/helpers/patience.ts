/** Milliseconds that anything may take on a machine that has much else to do. A file that stands still for a minute is ended. */
export const patience = 45_000;

/** Limits of a broker that refuses nobody because the machine is slow. */
export const unhurried = 'limits: { max_loop_delay: 60000, connect_timeout: 60, handshake_timeout: 60 }\n';
