import { Command } from 'commander';
import type { z } from 'zod';
import { saveTokenizer } from '../text/saveTokenizer.js';
import { readTextFiles, trainVocabulary } from '../text/trainVocabulary.js';
import {
  resolveVocabularyOptions,
  vocabularyCommandSchema,
  vocabularyOptionsSchema,
} from '../text/vocabularyOptions.js';
import { addSchemaFlags, requireFlag, schemaValues, withFlagNames } from './flags.js';
import { type CommandStreams, createStatusLine, warn } from './streams.js';

type VocabFlags = Partial<z.output<typeof vocabularyCommandSchema>>;

/** `polybeam vocab`: learns a BPE or WordPiece vocabulary from text. */
export function vocabCommand(streams: CommandStreams = process): Command {
  const command = new Command('vocab')
    .description('Learn a vocabulary from text and write it as tokenizer.json.')
    .argument('<files...>', 'text files, one text a line; .gz is unpacked')
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam vocab --size 16000 --output tokenizer train.en train.fr
  $ polybeam vocab --type wordpiece --size 30000 --lowercase --output tokenizer corpus.txt.gz
  $ polybeam vocab --columns '[0,1]' --output tokenizer train.tsv.gz`,
    );
  addSchemaFlags(command, vocabularyCommandSchema, ['inputs']);
  return command.action((files: string[], flags: VocabFlags) => learnVocabulary(files, flags, streams));
}

async function learnVocabulary(files: string[], flags: VocabFlags, streams: CommandStreams): Promise<void> {
  const output = requireFlag(flags.output, '--output');
  const options = schemaValues(vocabularyOptionsSchema, flags);
  await withFlagNames(vocabularyOptionsSchema, () => resolveVocabularyOptions(options));
  const { lines, invalidLines } = await readTextFiles(files, flags.columns);
  if (invalidLines > 0) {
    warn(streams, `${invalidLines} lines were not valid UTF-8; the bad bytes were replaced by U+FFFD.`);
  }
  const status = createStatusLine(streams);
  const tokenizer = await trainVocabulary(lines, options, (stage, done) =>
    status.show(stage === 'lines' ? `${done} lines read` : `${done} tokens`),
  ).finally(status.clear);
  await saveTokenizer(output, tokenizer, { modelMaxLength: flags.modelMaxLength });
  const size = Object.keys(tokenizer.model.vocab).length;
  streams.stdout.write(`${output}/tokenizer.json: ${size} tokens from ${lines.length} lines\n`);
}
