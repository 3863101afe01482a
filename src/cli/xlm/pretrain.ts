import { Command } from 'commander';
import { fileAccess } from '../../files.js';
import type { CommandStreams } from '../streams.js';
import { runTraining } from '../train.js';

/** `polybeam xlm pretrain`: learns an XLM from texts of several languages as a configuration file says. */
export function xlmPretrainCommand(streams: CommandStreams = process): Command {
  return new Command('pretrain')
    .description(
      'Pre-train an XLM on texts of several languages, configured by a YAML file. Ctrl-C saves a checkpoint; the same command ' +
        'resumes from it.',
    )
    .argument('<config>', 'configuration file; its paths are relative to the current directory')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam xlm pretrain xlm.yaml

A small configuration:
  output: runs/xlm
  objectives: { type: mlm }
  data:
    train: { en: mono.en.gz, fr: mono.fr.gz }
    validation: { en: valid.en, fr: valid.fr }
  vocabulary: { tokenizer: tokenizer }
  model: { preset: tiny }
  budget: { maxMinutes: 30 }

Every key and objective is described in docs/reference/xlm-pretrain-config.md.`,
    )
    .action((path: string) => pretrainModel(path, streams));
}

async function pretrainModel(path: string, streams: CommandStreams): Promise<void> {
  const text = new TextDecoder().decode(await fileAccess().read(path));
  // Imported here, so that help does not wait for the engine.
  const { parseXlmPretrainConfigText } = await import('../../xlm/pretraining/parseConfig.js');
  const config = parseXlmPretrainConfigText(text, path);
  await import('../../node/install.js');
  const { pretrainXlm } = await import('../../xlm/pretraining/pretrain.js');
  await runTraining((options) => pretrainXlm(config, options), streams);
}
