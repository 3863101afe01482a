/**
 * Runs an experiment, or resumes it where it stopped, and writes docs/experiments/NAME.md.
 *   npm run experiment -- multi30k [--scale 0.5]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Experiment } from './experiments/experiment.js';
import { multi30k } from './experiments/multi30k.js';

const experiments: Record<string, Experiment> = { multi30k };

const { values, positionals } = parseArgs({
  options: { scale: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const [name] = positionals;
const experiment = experiments[name];
const scale = Number(values.scale);
if (!experiment || !(scale > 0)) {
  console.error(
    `usage: npm run experiment -- ${Object.keys(experiments).join('|')} [--scale NUMBER above 0]`,
  );
  process.exit(2);
}

const minutes = Math.round(experiment.budgetMinutes * scale);
console.error(
  `${experiment.title}: about ${minutes} minutes on two cores at most; Ctrl-C saves, the same command resumes.`,
);
const controller = new AbortController();
process.once('SIGINT', () => controller.abort());
const text = await experiment.run({
  scale,
  trainOptions: {
    signal: controller.signal,
    output: { write: (part) => process.stderr.write(part), isTerminal: process.stderr.isTTY ?? false },
    onWarning: (message) => console.error(`warning: ${message}`),
  },
});
if (text === undefined) {
  console.error('Interrupted; the same command resumes.');
  process.exit(1);
}
await mkdir('docs/experiments', { recursive: true });
const command = `npm run experiment -- ${name}${scale === 1 ? '' : ` --scale ${scale}`}`;
await writeFile(
  `docs/experiments/${name}.md`,
  `# ${experiment.title}\n\nWritten by \`${command}\`.\n\n${text}\n`,
);
console.log(text);
