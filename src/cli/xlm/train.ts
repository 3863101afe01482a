import { Command } from 'commander';
import { fileAccess } from '../../files.js';
import type { CommandStreams } from '../streams.js';
import { runTraining } from '../train.js';

/** `polybeam xlm train`: learns to translate from texts of which none is a translation of another. */
export function trainCommand(streams: CommandStreams = process): Command {
  return new Command('train')
    .description(
      'Train a translation model on texts of several languages without parallel text, configured by a YAML file: denoising and ' +
        'back-translation. Ctrl-C saves a checkpoint; the same command resumes from it.',
    )
    .argument('<config>', 'configuration file; its paths are relative to the current directory')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam xlm train unsupervised.yaml
  $ polybeam translate --model runs/unsupervised/model --from en --to fr "A man walks his dog."

A small configuration:
  output: runs/unsupervised
  init: runs/xlm/model
  data:
    train: { en: mono.en.gz, fr: mono.fr.gz }
    validation: { en: held-out.en, fr: held-out.fr }
  budget: { maxMinutes: 60 }

Every key is described in docs/reference/xlm-train-config.md.`,
    )
    .action((path: string) => train(path, streams));
}

async function train(path: string, streams: CommandStreams): Promise<void> {
  const text = new TextDecoder().decode(await fileAccess().read(path));
  // Imported here, so that help does not wait for the engine.
  const { parseTranslationConfigText } = await import('../../xlm/translation/parseConfig.js');
  const config = parseTranslationConfigText(text, path);
  await import('../../node/install.js');
  const { trainTranslator } = await import('../../xlm/translation/train.js');
  await runTraining((options) => trainTranslator(config, options), streams);
}
