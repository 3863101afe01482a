import { Command } from 'commander';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { checkGenerationOptions, generationOptionsSchema } from '../generation/options.js';
import { packageRoot } from '../node/packageRoot.js';
import { withFlagNames } from './flags.js';
import { addLanguageFlags, type LanguageFlags } from './languages.js';
import { onOneLine, readTexts } from './lines.js';
import { inPortions } from './portions.js';
import { addPrefixFlags, checkPrefixFlags, hasPrefixes, type PrefixFlags, withPrefixes } from './prefixes.js';
import { addFileFlags, type FileFlags, redirected } from './redirect.js';
import { withDecoder } from './stopStrings.js';
import type { CommandStreams } from './streams.js';
import {
  addGenerationFlags,
  addModelFlags,
  generationFlags,
  type ModelFlags,
  useModel,
  withFiles,
} from './useModel.js';

/** The summarizer that polybeam comes with. */
export const embeddedSummarizer = 'models/summarize-software';

type SummarizeFlags = ModelFlags & LanguageFlags & PrefixFlags;

/** `polybeam summarize`: a document a line in, a summary a line out. */
export function summarizeCommand(streams: CommandStreams = process): Command {
  const command = new Command('summarize')
    .description(
      `Summarize documents, or lines of standard input: a document on each line in, its summary on a line out; empty lines stay empty. ` +
        `Without --model, the summarizer of software descriptions in ${embeddedSummarizer}.`,
    )
    .argument('[document...]', 'documents to summarize; default: lines of standard input')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam summarize --input descriptions.txt --output synopses.txt
  $ polybeam summarize --model bart-large-cnn --num-beams 4 --min-new-tokens 30 < articles.txt
  $ polybeam summarize --model runs/summarize/model --no-repeat-ngram-size 3 "A long document ..."`,
    );
  addFileFlags(command);
  addLanguageFlags(command);
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
  return command.action((documents: string[], flags: SummarizeFlags & FileFlags) =>
    redirected(flags, streams, (own) => summarize(documents, flags, own), documents),
  );
}

async function summarize(documents: string[], flags: SummarizeFlags, streams: CommandStreams): Promise<void> {
  const options = generationFlags(flags);
  await withFlagNames(generationOptionsSchema, () => checkGenerationOptions(options));
  checkPrefixFlags(flags);
  const { to, from } = flags;
  const preset = `${packageRoot()}/${embeddedSummarizer}`;
  if (flags.model === undefined) await requirePreset(preset);
  await useModel(
    flags,
    streams,
    async (model, assistant) => {
      const wanted = withDecoder(await withFiles(options, flags, assistant), model);
      const inputs = withPrefixes(readTexts(streams, documents), flags, streams);
      await inPortions(inputs, flags, streams, (portion, batching) => {
        const own = hasPrefixes(flags) ? portion : portion.map(({ text }) => text);
        return withFlagNames(generationOptionsSchema, async () =>
          (await model.translate(own, { ...wanted, ...batching, to, from })).map(onOneLine),
        );
      });
    },
    preset,
  );
}

/** @throws FILE_NOT_FOUND where polybeam came without its summarizer */
async function requirePreset(directory: string): Promise<void> {
  if ((await fileAccess().size(`${directory}/config.json`)) !== undefined) return;
  throw new PolybeamError(
    'FILE_NOT_FOUND',
    `There is no summarizer in ${directory}: name one with --model, such as the directory that polybeam finetune makes.`,
  );
}
