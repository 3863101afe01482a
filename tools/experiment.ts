/**
 * Runs an experiment, or resumes it where it stopped, and writes docs/experiments/NAME.md.
 *   npm run experiment -- multi30k|precision|similarity|summarization|unsupervised [--scale 0.5]
 */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Experiment, Parts } from './experiments/experiment.js';
import { multi30k } from './experiments/multi30k.js';
import { precision } from './experiments/precision.js';
import { similarityExperiment } from './experiments/similarity.js';
import { summarization } from './experiments/summarization.js';
import { unsupervised } from './experiments/unsupervised.js';

const experiments: Record<string, Experiment> = {
  multi30k,
  precision,
  similarity: similarityExperiment,
  summarization,
  unsupervised,
};

const { values, positionals } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, part: { type: 'string' } },
  allowPositionals: true,
});
const [name] = positionals;
const experiment = experiments[name];
const scale = Number(values.scale);
const parts: Parts = { ...experiment?.parts, ...experiment?.laterParts };
if (!experiment || !(scale > 0) || (values.part !== undefined && !parts[values.part])) {
  console.error(
    `usage: npm run experiment -- ${Object.keys(experiments).join('|')} [--scale NUMBER above 0] [--part NAME]`,
  );
  process.exit(2);
}
/** Exit code of a part that saved its work and can go on. */
const interrupted = 130;

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());
const prefix = values.part === undefined ? '' : `${values.part}: `;
const context = {
  scale,
  trainOptions: {
    signal: controller.signal,
    output: {
      write: (text: string) => process.stderr.write(prefix + text),
      // Bars of parts that run side by side would write over each other.
      isTerminal: values.part === undefined && (process.stderr.isTTY ?? false),
    },
    onWarning: (message: string) => console.error(`${prefix}warning: ${message}`),
  },
};

if (values.part !== undefined) {
  const together = values.part in (experiment.parts ?? {}) ? experiment.parts : experiment.laterParts;
  const threads = Math.max(1, Math.floor(availableParallelism() / Object.keys(together ?? {}).length));
  process.exit((await parts[values.part](context, threads)) ? 0 : interrupted);
}

const minutes = Math.round(experiment.budgetMinutes * scale);
console.error(
  `${experiment.title}: about ${minutes} minutes on two cores at most; Ctrl-C saves, the same command resumes.`,
);
if (!((await experiment.prepare?.(context)) ?? true)) stop([interrupted]);
for (const together of [experiment.parts ?? {}, experiment.laterParts ?? {}]) {
  const codes = await Promise.all(Object.keys(together).map(runPart));
  if (codes.some((code) => code !== 0)) stop(codes);
}
const text = (await experiment.run(context)) ?? stop([interrupted]);
await mkdir('docs/experiments', { recursive: true });
const command = `npm run experiment -- ${name}${scale === 1 ? '' : ` --scale ${scale}`}`;
await writeFile(
  `docs/experiments/${name}.md`,
  `# ${experiment.title}\n\nWritten by \`${command}\`.\n\n${text}\n`,
);
console.log(text);

/** Ends the program before the page is written. */
function stop(codes: readonly number[]): never {
  const failed = codes.some((code) => code !== 0 && code !== interrupted);
  console.error(
    failed ? 'A part failed; what it printed says why.' : 'Interrupted; the same command resumes.',
  );
  process.exit(1);
}

/** Trains one part in a process of its own; its exit code. Signals of the terminal reach it as well. */
function runPart(part: string): Promise<number> {
  const args = [...process.execArgv, process.argv[1], name, '--scale', String(scale), '--part', part];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  controller.signal.addEventListener('abort', () => child.kill('SIGINT'));
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
