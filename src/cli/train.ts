import { Command } from 'commander';
import { fileAccess } from '../files.js';
import type { TrainOptions, TrainResult } from '../training/train.js';
import { Interrupted } from './interrupted.js';
import { type CommandStreams, warn } from './streams.js';

/** `polybeam train`: trains a model as a configuration file says. */
export function trainCommand(streams: CommandStreams = process): Command {
  return new Command('train')
    .description(
      'Train a model, configured by a YAML file. Ctrl-C saves a checkpoint; the same command resumes from it.',
    )
    .argument('<config>', 'configuration file; its paths are relative to the current directory')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam train models/en-fr-software/train.yaml

A small configuration:
  output: runs/first
  data:
    train: { source: train.en, target: train.fr }
    validation: { source: valid.en, target: valid.fr }
  model: { preset: tiny }
  budget: { maxMinutes: 30 }

Every key is described in docs/reference/train-config.md.`,
    )
    .action((path: string) => trainModel(path, streams));
}

async function trainModel(path: string, streams: CommandStreams): Promise<void> {
  const text = new TextDecoder().decode(await fileAccess().read(path));
  // Imported here, so that help does not wait for the engine.
  const { parseTrainConfigText } = await import('../training/parseConfig.js');
  const config = parseTrainConfigText(text, path);
  await import('../node/install.js');
  const { train } = await import('../training/train.js');
  await runTraining((options) => train(config, options), streams);
}

/**
 * Runs a training with progress on stderr, stopped in good order by Ctrl-C, and prints where the model is.
 * @throws Interrupted
 */
export async function runTraining(
  run: (options: TrainOptions) => Promise<TrainResult>,
  streams: CommandStreams,
): Promise<void> {
  const interrupt = interruptSignal();
  const { stderr } = streams;
  const result = await run({
    signal: interrupt.signal,
    output: {
      write: (part) => stderr.write(part),
      isTerminal: stderr.isTTY ?? false,
      columns: stderr.columns,
    },
    onWarning: (message) => warn(streams, message),
  }).finally(interrupt.release);
  const { updates, modelDirectory, best } = result;
  if (modelDirectory === undefined) {
    throw new Interrupted(`interrupted at update ${updates}; the same command goes on from there.`);
  }
  const score = best ? `, best validation ${best.score.toFixed(2)} at update ${best.update}` : '';
  streams.stdout.write(`${modelDirectory}: ${updates} updates${score}\n`);
}

/** Aborts at the first Ctrl-C (or SIGTERM); the second ends the process as always. */
export function interruptSignal(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const release = () => {
    for (const name of signals) process.removeListener(name, abort);
  };
  const abort = () => {
    release();
    controller.abort();
  };
  for (const name of signals) process.on(name, abort);
  return { signal: controller.signal, release };
}
