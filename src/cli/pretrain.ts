import { Command } from 'commander';
import { fileAccess } from '../files.js';
import type { CommandStreams } from './streams.js';
import { runTraining } from './train.js';

/** `polybeam pretrain`: learns from plain text as a configuration file says. */
export function pretrainCommand(streams: CommandStreams = process): Command {
  return new Command('pretrain')
    .description(
      'Pre-train a model on plain text, configured by a YAML file. Ctrl-C saves a checkpoint; the same command resumes from it.',
    )
    .argument('<config>', 'configuration file; its paths are relative to the current directory')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam pretrain mass.yaml

A small configuration:
  output: runs/mass
  objectives: { type: mass }
  data:
    train: { text: articles.txt.gz }
    validation: { text: held-out.txt }
  model: { preset: tiny }
  budget: { maxMinutes: 30 }

Every key and objective is described in docs/reference/pretrain-config.md.`,
    )
    .action((path: string) => pretrainModel(path, streams));
}

async function pretrainModel(path: string, streams: CommandStreams): Promise<void> {
  const text = new TextDecoder().decode(await fileAccess().read(path));
  // Imported here, so that help does not wait for the engine.
  const { parsePretrainConfigText } = await import('../pretraining/parseConfig.js');
  const config = parsePretrainConfigText(text, path);
  await import('../node/install.js');
  const { pretrain } = await import('../pretraining/pretrain.js');
  await runTraining((options) => pretrain(config, options), streams);
}
