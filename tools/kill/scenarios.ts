import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import '../../src/node/install.js';
import { readSafetensors } from '../../src/pretrained/safetensors.js';
import { loadCheckpoint, type RunPointer } from '../../src/training/runCheckpoint.js';

/** Work that is killed, and what must hold of its directory then. Checks return what is wrong, undefined where all is well. */
export interface Scenario {
  name: string;
  /** Starts the work, or goes on with it. */
  start(directory: string): ChildProcess;
  /** Whether the work proper has begun: kills are drawn from then on. */
  hasBegun(directory: string): boolean;
  /** After every kill. */
  afterKill(directory: string): Promise<string | undefined>;
  /** What a run that was left alone made, or one that ended after kills: both have to be the same. */
  result(directory: string): unknown;
}

const root = resolve(import.meta.dirname, '../..');
const cli = join(root, 'src/cli/main.ts');
const model = join(root, 'models/en-fr-software');

function node(
  args: readonly string[],
  stdio: [number | 'ignore', number | 'ignore', 'inherit'],
): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', ...args], { cwd: root, stdio: [...stdio] });
}

/** A training: what latest.json names is whole and never older than before, and the model is that of a training without a kill, bit for bit. */
const training: Scenario = {
  name: 'train',
  start: (directory) =>
    node([join(root, 'test/support/trainTiny.ts'), directory], ['ignore', 'ignore', 'inherit']),
  hasBegun: (directory) => existsSync(join(directory, 'run/lock.json')),
  afterKill: async (directory) => {
    const run = join(directory, 'run');
    const path = join(run, 'latest.json');
    const seen = join(directory, 'update');
    const before = existsSync(seen) ? Number(readFileSync(seen, 'utf8')) : 0;
    if (!existsSync(path)) return before > 0 ? `the checkpoint of update ${before} is lost` : undefined;
    const pointer = JSON.parse(readFileSync(path, 'utf8')) as RunPointer;
    const { update } = pointer.state;
    if (update < before) return `the run went back from update ${before} to ${update}`;
    const tensors = await loadCheckpoint({ directory: run }, pointer);
    writeFileSync(seen, String(update));
    return tensors.size > 0 ? undefined : `the checkpoint of update ${update} is empty`;
  },
  result: (directory) => {
    const rows = readFileSync(join(directory, 'run/log.jsonl'), 'utf8').trim().split('\n');
    const losses = rows
      .map((row) => JSON.parse(row))
      .map(({ type, update, loss, score }) => [type, update, loss, score]);
    return { model: readFileSync(join(directory, 'run/model/model.safetensors'), 'base64'), losses };
  },
};

const sentences = Array.from(
  { length: 120 },
  (_, at) => `This package contains ${at} files for the program number ${at * 7}.`,
);

/** A translation: what was written before the kill is the beginning of what is written without one, line by line. */
const translation: Scenario = {
  name: 'translate',
  start: (directory) => {
    const input = join(directory, 'input');
    writeFileSync(input, `${sentences.join('\n')}\n`);
    const [from, to] = [openSync(input, 'r'), openSync(join(directory, 'output'), 'w')];
    const child = node([cli, 'translate', '--model', model, '--batch-size', '2'], [from, to, 'inherit']);
    closeSync(from);
    closeSync(to);
    return child;
  },
  hasBegun: (directory) => linesOf(directory).length > 1,
  afterKill: async (directory) => {
    const whole = join(directory, 'reference');
    if (!existsSync(whole)) return undefined;
    const reference = readFileSync(whole, 'utf8');
    const written = readFileSync(join(directory, 'output'), 'utf8');
    return reference.startsWith(written)
      ? undefined
      : `what was written is not how the output begins: ${written.slice(-200)}`;
  },
  result: linesOf,
};

function linesOf(directory: string): string[] {
  const path = join(directory, 'output');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
}

/** A conversion: weights are there as a whole or not at all. */
const conversion: Scenario = {
  name: 'convert',
  start: (directory) =>
    node(
      [cli, 'convert', '--model', model, '--weights', 'float16', '--output', join(directory, 'out')],
      ['ignore', 'ignore', 'inherit'],
    ),
  hasBegun: (directory) => existsSync(join(directory, 'out')),
  afterKill: async (directory) => {
    const path = join(directory, 'out/model.safetensors');
    if (!existsSync(path)) return undefined;
    const weights = await readSafetensors(path);
    return weights.size > 0 && existsSync(join(directory, 'out/config.json'))
      ? undefined
      : 'there are weights, and no whole model';
  },
  result: (directory) => {
    const out = join(directory, 'out');
    const names = readdirSync(out)
      .filter((name) => !name.endsWith('.tmp'))
      .sort();
    return names.map((name) => [name, readFileSync(join(out, name), 'base64')]);
  },
};

export const scenarios: readonly Scenario[] = [training, translation, conversion];

/** Empties a directory, but for what a scenario's checks compare with. */
export function empty(directory: string): void {
  for (const name of readdirSync(directory))
    if (name !== 'reference') rmSync(join(directory, name), { recursive: true });
}
