import { Command } from 'commander';
import { fileAccess } from '../files.js';
import type { CommandStreams } from './streams.js';
import { runTraining } from './train.js';

/** `polybeam finetune`: fine-tunes a model directory as a configuration file says. */
export function finetuneCommand(streams: CommandStreams = process): Command {
  return new Command('finetune')
    .description(
      'Fine-tune a model directory on pairs of texts, configured by a YAML file. Ctrl-C saves a checkpoint; the same command resumes from it.',
    )
    .argument('<config>', 'configuration file; its paths are relative to the current directory')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam finetune summarize.yaml

A small configuration:
  output: runs/summarize
  init: runs/mass/model
  data:
    train: { source: articles.txt, target: summaries.txt }
    validation: { tsv: held-out.tsv }
    truncation: { headTail: { head: 128, tail: 382 } }
  layerDecay: 0.95
  budget: { maxEpochs: 10 }
  validation: { everyUpdates: 200, metric: rougeL }
  earlyStopping: { patience: 3 }
  generation: { numBeams: 4, maxNewTokens: 60, noRepeatNgramSize: 3 }

An encoder-decoder of two BERT directories, instead of init:
  encoder: bert-base-uncased
  decoder: bert-base-uncased
  share: true

Every key is described in docs/reference/finetune-config.md.`,
    )
    .action((path: string) => finetuneModel(path, streams));
}

async function finetuneModel(path: string, streams: CommandStreams): Promise<void> {
  const text = new TextDecoder().decode(await fileAccess().read(path));
  // Imported here, so that help does not wait for the engine.
  const { parseFinetuneConfigText } = await import('../training/parseFinetuneConfig.js');
  const config = parseFinetuneConfigText(text, path);
  await import('../node/install.js');
  const { finetune } = await import('../training/finetune.js');
  await runTraining((options) => finetune(config, options), streams);
}
