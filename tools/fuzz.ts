/**
 * Gives damaged files to everything that reads files, and reports what ends otherwise than read or refused with a code: other errors,
 * dead processes, cases that take too long or too much memory.
 *   npm run fuzz -- --seconds 60 [--seed 1] [--first 0] [--cases N] [--reader NAME] [--readers FILE]
 * A case is a function of seed and number: the report says how to run it again.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fuzz } from './fuzz/parent.js';
import { readFlags } from './readFlags.js';

const usage = 'npm run fuzz -- [--seconds N] [--seed N] [--first N] [--cases N] [--reader NAME]';
const values = readFlags(usage, {
  seconds: '60',
  seed: '1',
  first: '0',
  cases: 'Infinity',
  reader: '',
  readers: join(import.meta.dirname, 'fuzz/readers.ts'),
});
const [seconds, seed, first, cases] = [values.seconds, values.seed, values.first, values.cases].map(Number);
if (!(seconds > 0 && seed >= 0 && first >= 0 && cases > 0)) {
  console.error(`usage: ${usage}`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'polybeam-fuzz-'));
const kept = resolve('runs/fuzz');
const only = values.reader ? ` --reader ${values.reader}` : '';
const report = await fuzz({
  seconds,
  seed,
  first,
  cases,
  readers: resolve(values.readers ?? ''),
  reader: values.reader ?? '',
  folder: join(folder, 'case'),
  onFault: ({ number, fault, file }) => {
    console.log(`case ${number}: ${fault}`);
    console.log(`  again: npm run fuzz -- --seed ${seed} --first ${number} --cases 1${only}`);
    if (file === undefined) return;
    mkdirSync(kept, { recursive: true });
    copyFileSync(file, join(kept, `${seed}-${number}`));
    console.log(`  the file: runs/fuzz/${seed}-${number}`);
  },
});
rmSync(folder, { recursive: true, force: true });
const { ran, read, refused, faults } = report;
console.log(`seed ${seed}: ${ran} cases, ${read} read, ${refused} refused with a code, ${faults} faults`);
process.exit(faults > 0 ? 1 : 0);
