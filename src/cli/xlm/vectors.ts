import { Command } from 'commander';
import { z } from 'zod';
import { PolybeamError } from '../../errors.js';
import type { VectorTrainingRun } from '../../xlm/vectors/trainVectors.js';
import { vectorOptionsSchema } from '../../xlm/vectors/trainVectors.js';
import { addSchemaFlags, requireFlag, schemaValues, withFlagNames } from '../flags.js';
import { type CommandStreams, createStatusLine, warn } from '../streams.js';
import { invalidTextWarning } from './languageTexts.js';

const commandSchema = vectorOptionsSchema.extend({
  ngrams: z
    .string()
    .min(1)
    .describe('Words and n-grams that get vectors: a file written by polybeam xlm ngrams.'),
  output: z.string().min(1).optional().describe('File of vectors to write, such as en.vec.'),
  writeTexts: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Instead of training: write the training texts of fastText, for "fasttext skipgram -epoch 1 -minCount 1".',
    ),
});

type VectorFlags = Partial<z.output<typeof commandSchema>>;

/** `polybeam xlm vectors`: trains vectors of words and n-grams. */
export function vectorsCommand(streams: CommandStreams = process): Command {
  const command = new Command('vectors')
    .description(
      'Train vectors of the words and n-grams of a language by skip-gram with subwords (fastText in WebAssembly, one thread).',
    )
    .argument(
      '<files...>',
      'texts, one a line; .gz is unpacked, and train.tsv:2 is column 2 of a tab-separated file',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam xlm vectors --lowercase --ngrams en.ngrams.tsv --output en.vec mono.en.gz
  $ polybeam xlm vectors --size 100 --epochs 20 --ngrams de.ngrams.tsv --output de.vec mono.de.gz
  $ polybeam xlm vectors --ngrams en.ngrams.tsv --write-texts en.txt mono.en.gz
  $ fasttext skipgram -input en.txt -output en -epoch 1 -minCount 1 -dim 300 -neg 10 -thread 16`,
    );
  addSchemaFlags(command, commandSchema);
  return command.action((files: string[], flags: VectorFlags) => makeVectors(files, flags, streams));
}

async function makeVectors(files: string[], flags: VectorFlags, streams: CommandStreams): Promise<void> {
  const listPath = requireFlag(flags.ngrams, '--ngrams');
  requireOneOutput(flags);
  const { resolveVectorOptions, trainVectors, vectorTexts } = await import(
    '../../xlm/vectors/trainVectors.js'
  );
  const options = schemaValues(vectorOptionsSchema, flags);
  await withFlagNames(vectorOptionsSchema, () => resolveVectorOptions(options));
  const { readNgrams } = await import('../../xlm/vectors/ngrams.js');
  const { parseTextFile, textsOf } = await import('../../xlm/texts.js');
  const texts = textsOf(files.map(parseTextFile), invalidTextWarning(streams));
  const ngrams = await readNgrams(listPath);
  const status = createStatusLine(streams);
  const onProgress = showProgress(status.show);
  if (flags.writeTexts !== undefined) {
    const { fileAccess } = await import('../../files.js');
    const lines = await vectorTexts(texts, ngrams, options, onProgress).finally(status.clear);
    await fileAccess().writeAtomic(flags.writeTexts, lines);
    streams.stdout.write(`${flags.writeTexts}: texts for fastText\n`);
    return;
  }
  await import('../../node/install.js');
  const { vectors, unseen } = await withFlagNames(vectorOptionsSchema, () =>
    trainVectors(texts, ngrams, options, { onProgress }),
  ).finally(status.clear);
  if (unseen.length > 0) {
    warn(
      streams,
      `${unseen.length} of ${ngrams.length} n-grams are not in the texts by themselves and get no vector: "${unseen[0]}"` +
        `${unseen.length > 1 ? ' and others' : ''}.`,
    );
  }
  const { writeVectors } = await import('../../xlm/vectors/vectorFile.js');
  await writeVectors(flags.output!, vectors);
  streams.stdout.write(`${flags.output}: ${vectors.words.length} vectors of size ${vectors.size}\n`);
}

function showProgress(show: (text: string) => void): NonNullable<VectorTrainingRun['onProgress']> {
  let begin = performance.now();
  return (progress) => {
    if ('texts' in progress) {
      show(`${progress.texts} texts read`);
      return;
    }
    const { done, loss, unitsPerSecond } = progress;
    if (done === 0) {
      // From here on vectors are trained; before, the words were read.
      begin = performance.now();
      return;
    }
    const left = ((performance.now() - begin) / 1000) * (1 / done - 1);
    show(
      `${(100 * done).toFixed(1)} %, loss ${loss.toFixed(3)}, ${Math.round(unitsPerSecond)} words a second, ` +
        `${left < 100 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`} left`,
    );
  };
}

function requireOneOutput({ output, writeTexts }: VectorFlags): void {
  if ((output === undefined) !== (writeTexts === undefined)) return;
  throw output === undefined
    ? new PolybeamError(
        'OPTION_INVALID',
        '--output is missing: give it a file of vectors, or --write-texts a file of texts.',
      )
    : new PolybeamError('OPTION_CONFLICT', '--output and --write-texts exclude each other; give one.');
}
