import { readFileSync } from 'node:fs';

/** Resident memory of this process in bytes: what it holds alone, and pages of files that it shares. */
export interface ResidentMemory {
  total: number;
  /** Undefined where the system does not tell them apart. */
  anonymous?: number;
}

/** Reads what is resident now. */
export function residentMemory(): ResidentMemory {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)![1]);
    return { total: 1024 * kibibytes('VmRSS'), anonymous: 1024 * kibibytes('RssAnon') };
  } catch {
    return { total: process.memoryUsage.rss() };
  }
}
