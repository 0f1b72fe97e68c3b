import { execFile } from 'node:child_process';
import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The machine, as the checks ask it. */
export interface Host {
  /** `linux`, `darwin`, … */
  readonly platform: NodeJS.Platform;
  /** Such as `20.19.0`. */
  readonly nodeVersion: string;
  /** The text of a file under /proc, /sys or /run; undefined where there is none. */
  read(path: string): Promise<string | undefined>;
  /** What a program prints; undefined where it is missing or fails. */
  run(program: string, args: readonly string[]): Promise<string | undefined>;
  /** Bytes of the file system that holds a path; undefined where nothing is there. */
  space(path: string): Promise<{ readonly free: number; readonly total: number } | undefined>;
}

/** Milliseconds that a program may take. */
const patience = 10_000;

/** @param root what is before /proc and /sys, for tests */
export function thisHost(root = '/'): Host {
  return {
    platform: process.platform,
    nodeVersion: process.versions.node,
    read: (path) => readFile(join(root, path), 'utf8').catch(() => undefined),
    run,
    space,
  };
}

/** A number that a file of the host consists of. */
export async function numberIn(host: Host, path: string): Promise<number | undefined> {
  const text = await host.read(path);
  const value = Number(text?.trim() || Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

async function run(program: string, args: readonly string[]): Promise<string | undefined> {
  const { PATH = '' } = process.env;
  // Programs of administrators are missing in the PATH of others.
  const env = { ...process.env, PATH: `${PATH}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  try {
    return (await promisify(execFile)(program, args, { timeout: patience, maxBuffer: 2 ** 26, env })).stdout;
  } catch {
    return undefined;
  }
}

async function space(path: string) {
  try {
    const { bsize, bavail, blocks } = await statfs(path);
    return { free: bavail * bsize, total: blocks * bsize };
  } catch {
    return undefined;
  }
}
