import type { Configuration } from '@moat/broker';

/** A broker as it is installed, which all that is generated speaks of. Paths are absolute. */
export interface Installation {
  readonly configuration: Configuration;
  /** What it is written in; undefined when the defaults hold. */
  readonly file: string | undefined;
  /** Node.js. */
  readonly node: string;
  /** The command `moat`. */
  readonly program: string;
  /** An allocator that gives memory back to the system; undefined for that of the C library. */
  readonly allocator: string | undefined;
  /** Whom the broker runs as. */
  readonly user: string;
  /** Where its log goes; undefined for the journal of systemd. */
  readonly logFile: string | undefined;
  /** Of the machine's ssh; 0 where it is to be closed. */
  readonly sshPort: number;
  /** Addresses or names of all brokers, as a proxy reaches them. */
  readonly brokers: readonly string[];
}

/** A file for a program around the broker. */
export interface GeneratedFile {
  /** Relative to the directory of all of them. */
  readonly path: string;
  /** Where the program looks for it. */
  readonly goesTo: string;
  readonly text: string;
}

/** What one program needs. */
export interface Piece {
  readonly name: string;
  /** What it is good for, in a line. */
  readonly summary: string;
  /** @throws OperatorError `config.invalid_value` where the configuration leaves open what has to be known */
  files(installation: Installation): readonly GeneratedFile[];
}
