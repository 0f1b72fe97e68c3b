import type { Check } from './check.js';
import { accessChecks } from './checks/access.js';
import { certificateChecks } from './checks/certificates.js';
import { diskChecks } from './checks/disk.js';
import { fileChecks } from './checks/files.js';
import { guardChecks } from './checks/guard.js';
import { kernelChecks } from './checks/kernel.js';
import { listenerChecks } from './checks/listeners.js';
import { machineChecks } from './checks/machine.js';
import { processChecks } from './checks/process.js';
import { recordChecks } from './checks/records.js';

/** Every check of `moat doctor`, in the order of the reference. */
export const allChecks: readonly Check[] = [
  ...fileChecks,
  ...listenerChecks,
  ...certificateChecks,
  ...accessChecks,
  ...guardChecks,
  ...recordChecks,
  ...processChecks,
  ...kernelChecks,
  ...machineChecks,
  ...diskChecks,
];
