import { Command } from 'commander';
import type { z } from 'zod';
import { vocabularyCommandSchema } from '../../text/vocabularyOptions.js';
import { jointVocabularySchema } from '../../xlm/jointVocabulary.js';
import { addSchemaFlags, requireFlag, schemaValues, withFlagNames } from '../flags.js';
import { type CommandStreams, createStatusLine } from '../streams.js';
import { invalidTextWarning, type LanguageFiles, textOption } from './languageTexts.js';

const commandSchema = jointVocabularySchema.extend({
  output: vocabularyCommandSchema.shape.output,
  modelMaxLength: vocabularyCommandSchema.shape.modelMaxLength,
});

type VocabularyFlags = Partial<z.output<typeof commandSchema>> & { text?: LanguageFiles };

/** `polybeam xlm vocabulary`: one BPE vocabulary for several languages. */
export function vocabularyCommand(streams: CommandStreams = process): Command {
  const command = new Command('vocabulary')
    .description('Learn one BPE vocabulary for several languages, with a token for each.')
    .addOption(textOption())
    .addHelpText(
      'after',
      `
Examples:
  $ polybeam xlm vocabulary --text en=mono.en.gz --text fr=mono.fr.gz --output tokenizer
  $ polybeam xlm vocabulary --text en=train.tsv:1 --text fr=train.tsv:2 --text fr=more.fr --size 8000 --output tokenizer`,
    );
  addSchemaFlags(command, commandSchema);
  return command.action((flags: VocabularyFlags) => learnVocabulary(flags, streams));
}

async function learnVocabulary(flags: VocabularyFlags, streams: CommandStreams): Promise<void> {
  const files = requireFlag(flags.text, '--text');
  const output = requireFlag(flags.output, '--output');
  const options = schemaValues(jointVocabularySchema, flags);
  const { resolveJointVocabularyOptions, trainJointVocabulary } = await import(
    '../../xlm/jointVocabulary.js'
  );
  const { textsOf } = await import('../../xlm/texts.js');
  const { saveTokenizer } = await import('../../text/saveTokenizer.js');
  await withFlagNames(jointVocabularySchema, () =>
    resolveJointVocabularyOptions(Object.keys(files), options),
  );
  const warnOfBytes = invalidTextWarning(streams);
  const texts = Object.fromEntries(
    Object.entries(files).map(([language, paths]) => [language, textsOf(paths, warnOfBytes)]),
  );
  const status = createStatusLine(streams);
  const { tokenizer, languages } = await trainJointVocabulary(texts, options, (stage) =>
    status.show(
      'tokens' in stage ? `${stage.tokens} tokens` : `${stage.language}: ${stage.texts} texts read`,
    ),
  ).finally(status.clear);
  await saveTokenizer(output, tokenizer, { modelMaxLength: flags.modelMaxLength });
  const size = Object.keys(tokenizer.model.vocab).length;
  const parts = languages.map(
    ({ language, texts, share }) => `${language} ${(100 * share).toFixed(1)} % (${texts} texts)`,
  );
  streams.stdout.write(`${output}/tokenizer.json: ${size} tokens from ${parts.join(', ')}\n`);
}
