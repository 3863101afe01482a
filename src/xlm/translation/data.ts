import { fileAccess } from '../../files.js';
import { readDocuments, tokenizeDocuments } from '../../pretraining/corpus.js';
import { loadTokenizer } from '../../text/loadTokenizer.js';
import { saveTokenizer } from '../../text/saveTokenizer.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { fingerprintPairs, type TokenPair } from '../../training/batching.js';
import { readParallelText } from '../../training/data.js';
import { tokenizerDirectory } from '../../training/runParts.js';
import { type TrainOptions, warnOfText } from '../../training/train.js';
import { trainJointVocabulary } from '../jointVocabulary.js';
import type { LanguagePairs, LanguageTexts } from '../languageData.js';
import type { TranslationConfig } from './config.js';
import type { Direction } from './languageCodes.js';

/** Texts of a configuration as they are written. */
export interface LanguageLines {
  /** By language. */
  texts: Map<string, string[]>;
  pairs: { direction: Direction; source: string[]; target: string[] }[];
}

/**
 * Reads texts and pairs, and warns of what is left out or was replaced.
 * @param what of these texts, for warnings
 * @throws what `readDocuments` and `readParallelText` throw
 */
export async function readLanguageLines(
  train: LanguageTexts | undefined,
  pairs: LanguagePairs | undefined,
  what: string,
  options: TrainOptions,
): Promise<LanguageLines> {
  const read: LanguageLines = { texts: new Map(), pairs: [] };
  for (const [language, sources] of Object.entries(train ?? {})) {
    const { texts, blank, invalidLines } = await readDocuments(sources);
    if (blank > 0)
      options.onWarning?.(`${blank} blank lines of ${language} are left out of the ${what} text.`);
    if (invalidLines > 0) {
      options.onWarning?.(
        `${invalidLines} lines of ${language} are not valid UTF-8; the bad bytes were replaced by U+FFFD.`,
      );
    }
    read.texts.set(language, texts);
  }
  for (const { from, to, ...source } of pairs ?? []) {
    const text = await readParallelText([source]);
    warnOfText(text, what, options);
    read.pairs.push({ direction: { from, to }, source: text.source, target: text.target });
  }
  return read;
}

/**
 * The tokenizer that a configuration names, or one learned from its texts and kept in the run directory.
 * @throws TOKENIZER_INVALID, TOKENIZER_MISSING; what `trainJointVocabulary` throws
 */
export async function prepareJointTokenizer(
  { vocabulary, output, languages }: TranslationConfig,
  { texts, pairs }: LanguageLines,
  note: (text: string) => void,
): Promise<Tokenizer> {
  const directory = tokenizerDirectory(vocabulary, output);
  if ('train' in vocabulary && (await fileAccess().size(`${directory}/tokenizer.json`)) === undefined) {
    note('learning the vocabulary');
    const linesOf = (language: string) => [
      ...(texts.get(language) ?? []),
      ...pairs.flatMap(({ direction, source, target }) => [
        ...(direction.from === language ? source : []),
        ...(direction.to === language ? target : []),
      ]),
    ];
    const all = Object.fromEntries(languages.map((language) => [language, () => [linesOf(language)]]));
    const { tokenizer } = await trainJointVocabulary(all, vocabulary.train);
    await saveTokenizer(directory, tokenizer);
  }
  return loadTokenizer(directory);
}

/** The same texts as ids without special tokens; those that are empty are left out. */
export interface LanguageIds {
  texts: Map<string, Int32Array[]>;
  pairs: { direction: Direction; pairs: TokenPair[] }[];
}

/** Tokenizes. */
export async function tokenizeLanguages(
  { texts, pairs }: LanguageLines,
  tokenizer: Tokenizer,
): Promise<LanguageIds> {
  const ids: LanguageIds = { texts: new Map(), pairs: [] };
  const encode = async (lines: readonly string[]) => {
    const corpus = await tokenizeDocuments(lines, tokenizer);
    return lines.map((_, at) => corpus.ids.subarray(corpus.starts[at], corpus.starts[at + 1]));
  };
  for (const [language, lines] of texts) {
    ids.texts.set(
      language,
      (await encode(lines)).filter((text) => text.length > 0),
    );
  }
  for (const { direction, source, target } of pairs) {
    const [sources, targets] = [await encode(source), await encode(target)];
    ids.pairs.push({ direction, pairs: sources.map((text, at) => ({ source: text, target: targets[at] })) });
  }
  return ids;
}

/** Tells whether a run goes on with the data it began with. */
export function fingerprintLanguages({ texts, pairs }: LanguageIds): string {
  return fingerprintPairs([
    ...[...texts.values()].flatMap((list) => list.map((source) => ({ source, target: [] }))),
    ...pairs.flatMap((one) => one.pairs),
  ]);
}
