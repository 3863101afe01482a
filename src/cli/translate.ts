import { Command } from 'commander';
import { PolybeamError } from '../errors.js';
import { checkGenerationOptions, generationOptionsSchema } from '../generation/options.js';
import { packageRoot } from '../node/packageRoot.js';
import type { Model } from '../pretrained/model.js';
import { type AlignmentForm, addAlignmentsFlag, formatAlignment } from './alignments.js';
import { withFlagNames } from './flags.js';
import { addLanguageFlags, type LanguageFlags } from './languages.js';
import { inGroups, onOneLine, readTexts } from './lines.js';
import { inPortions } from './portions.js';
import { addPrefixFlags, checkPrefixFlags, hasPrefixes, type PrefixFlags, withPrefixes } from './prefixes.js';
import { addFileFlags, type FileFlags, redirected } from './redirect.js';
import { withDecoder } from './stopStrings.js';
import { printStreamed } from './streamedLines.js';
import type { CommandStreams } from './streams.js';
import { addUnknownFlags, type UnknownFlags, unknownReplacement } from './unknownWords.js';
import {
  addGenerationFlags,
  addModelFlags,
  defaultBatchSize,
  generationFlags,
  type ModelFlags,
  useModel,
  withFiles,
} from './useModel.js';

/** The model that polybeam comes with. */
export const embeddedModel = 'models/en-fr-software';

type TranslateFlags = ModelFlags & {
  chunk?: number;
  stream?: boolean;
  alignments?: AlignmentForm;
} & LanguageFlags &
  UnknownFlags &
  PrefixFlags &
  FileFlags;

/** `polybeam translate`: a line in, a line out. */
export function translateCommand(streams: CommandStreams = process): Command {
  const command = new Command('translate')
    .description(
      `Translate texts, or lines of standard input: one line out for each line in; empty lines stay empty. Without --model, the ` +
        `English to French model in ${embeddedModel}.`,
    )
    .argument('[text...]', 'texts to translate; default: lines of standard input')
    .option(
      '--chunk <n>',
      'split texts of more than n tokens into pieces of whole sentences, and join their translations; about 50 suits ' +
        'models trained on sentences',
      readChunk,
    )
    .option(
      '--stream',
      'print text as soon as it is final, even within a line; lines are read and translated a batch at a time',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam translate --to fr "This package contains the documentation."
  $ polybeam translate --model opus-mt-en-de --num-beams 6 --input input.en --output output.de
  $ polybeam translate --model nllb-200-distilled-600M --from fra_Latn --to deu_Latn < input.fr
  $ polybeam translate --to fr --prefix "Ce paquet" "This package contains the documentation."
  $ polybeam translate --to fr --prefix-file beginnings.fr < input.en > output.fr
  $ polybeam translate --stream --num-beams 4 "A long text is read while it is being written."
  $ polybeam translate --to fr --alignments hard "This package contains the documentation."
  $ polybeam translate --do-sample --top-k 10 --seed 1 "Free software is a matter of liberty."`,
    );
  addFileFlags(command);
  addLanguageFlags(command);
  addAlignmentsFlag(command, 'each translation');
  addUnknownFlags(command);
  addPrefixFlags(command);
  addModelFlags(command);
  // One line goes in and one comes out.
  addGenerationFlags(command, [
    'numReturnSequences',
    'returnAttention',
    'returnLogits',
    'returnAlternatives',
    'minAlternativeExpansionProb',
  ]);
  return command.action((texts: string[], flags: TranslateFlags) =>
    redirected(flags, streams, (own) => translate(texts, flags, own), texts),
  );
}

function readChunk(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new PolybeamError('OPTION_INVALID', `--chunk cannot be "${text}": give an integer from 1.`);
}

async function translate(texts: string[], flags: TranslateFlags, streams: CommandStreams): Promise<void> {
  const options = generationFlags(flags);
  await withFlagNames(generationOptionsSchema, () => checkGenerationOptions(options));
  if (flags.stream && flags.chunk !== undefined) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `--chunk ${flags.chunk} does not go with --stream; leave one of them out.`,
    );
  }
  const replaceUnknowns = unknownReplacement(flags);
  if (flags.stream && replaceUnknowns) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      '--replace-unknowns does not go with --stream; leave one of them out.',
    );
  }
  if (flags.stream && flags.alignments) {
    throw new PolybeamError(
      'OPTION_CONFLICT',
      `--alignments ${flags.alignments} does not go with --stream; leave one of them out.`,
    );
  }
  checkPrefixFlags(flags);
  const work = flags.stream ? translateAsItComes : translatePortions;
  const preset = `${packageRoot()}/${embeddedModel}`;
  await useModel(flags, streams, (model, assistant) => work(model, assistant, texts, flags, streams), preset);
}

async function translatePortions(
  model: Model,
  assistant: Model | undefined,
  texts: string[],
  flags: TranslateFlags,
  streams: CommandStreams,
): Promise<void> {
  const options = withDecoder(await withFiles(generationFlags(flags), flags, assistant), model);
  const { to, from, chunk, alignments } = flags;
  const lines = withPrefixes(readTexts(streams, texts), flags, streams);
  return inPortions(lines, flags, streams, async (portion, batching) => {
    const replaceUnknowns = unknownReplacement(flags);
    const prefixes = hasPrefixes(flags) ? portion.map(({ prefix }) => prefix) : undefined;
    const wanted = { ...options, ...batching, to, from, chunk, replaceUnknowns, prefixes };
    const own = portion.map(({ text }) => text);
    return withFlagNames(generationOptionsSchema, async () => {
      if (!alignments) return (await model.translate(own, wanted)).map(onOneLine);
      const aligned = await model.translateAligned(own, wanted);
      return aligned.map((one) =>
        one.text === '' ? '' : `${onOneLine(one.text)}\t${formatAlignment(one, alignments)}`,
      );
    });
  });
}

async function translateAsItComes(
  model: Model,
  assistant: Model | undefined,
  texts: string[],
  flags: TranslateFlags,
  streams: CommandStreams,
): Promise<void> {
  const options = withDecoder(await withFiles(generationFlags(flags), flags, assistant), model);
  const { to, from, maxBatchTokens, batchSize = defaultBatchSize } = flags;
  let firstIndex = 0;
  const all = withPrefixes(readTexts(streams, texts), flags, streams);
  for await (const lines of inGroups(all, streams.stdin.isTTY ? 1 : batchSize)) {
    const inputs = hasPrefixes(flags) ? lines : lines.map(({ text }) => text);
    const run = () =>
      printStreamed(inputs, model, { ...options, to, from, batchSize, maxBatchTokens, firstIndex }, streams);
    await withFlagNames(generationOptionsSchema, run);
    firstIndex += lines.length;
  }
}
