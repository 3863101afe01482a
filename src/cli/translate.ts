import { Command } from 'commander';
import { PolybeamError } from '../errors.js';
import { checkGenerationOptions, generationOptionsSchema } from '../generation/options.js';
import { withFlagNames } from './flags.js';
import { readTexts } from './lines.js';
import { packageRoot } from './packageRoot.js';
import { inPortions } from './portions.js';
import { withDecoder } from './stopStrings.js';
import type { CommandStreams } from './streams.js';
import { addGenerationFlags, addModelFlags, generationFlags, type ModelFlags, useModel } from './useModel.js';

/** The model that polybeam comes with. */
export const embeddedModel = 'models/en-fr-software';

type TranslateFlags = ModelFlags & { to?: string; from?: string; chunk?: number };

/** `polybeam translate`: a line in, a line out. */
export function translateCommand(streams: CommandStreams = process): Command {
  const command = new Command('translate')
    .description(
      `Translate texts, or lines of standard input: a line in, a line out, blank for blank. Without --model, the ` +
        `English to French model in ${embeddedModel}.`,
    )
    .argument('[text...]', 'texts to translate; nothing reads standard input')
    .option('--to <language>', 'target language, checked against those of the model')
    .option('--from <language>', 'source language, for models that are told it')
    .option(
      '--chunk <n>',
      'cut texts of more than n tokens into pieces of whole sentences, and join what becomes of them; some 50 suits ' +
        'models trained on sentences',
      readChunk,
    )
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam translate --to fr "This package contains the documentation."
  $ polybeam translate --model opus-mt-en-de --num-beams 6 < input.en > output.de
  $ polybeam translate --model nllb-200-distilled-600M --from fra_Latn --to deu_Latn < input.fr
  $ polybeam translate --do-sample --top-k 10 --seed 1 "Free software is a matter of liberty."`,
    );
  addModelFlags(command);
  // One line goes in and one comes out.
  addGenerationFlags(command, ['numReturnSequences']);
  return command.action((texts: string[], flags: TranslateFlags) => translate(texts, flags, streams));
}

function readChunk(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new PolybeamError('OPTION_INVALID', `--chunk cannot be "${text}": give an integer from 1.`);
}

async function translate(texts: string[], flags: TranslateFlags, streams: CommandStreams): Promise<void> {
  const options = generationFlags(flags);
  await withFlagNames(generationOptionsSchema, () => checkGenerationOptions(options));
  const preset = `${packageRoot()}/${embeddedModel}`;
  await useModel(
    flags,
    streams,
    (model) =>
      inPortions(readTexts(streams, texts), flags, streams, async (portion, batching) => {
        const wanted = withDecoder(options, model);
        const run = () =>
          model.translate(portion, {
            ...wanted,
            ...batching,
            to: flags.to,
            from: flags.from,
            chunk: flags.chunk,
          });
        const translations = await withFlagNames(generationOptionsSchema, run);
        return translations.map((text) => text.replace(/\s*\n\s*/g, ' '));
      }),
    preset,
  );
}
