import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { readTexts } from '../pretraining/texts.js';
import { loadTokenizer } from '../text/loadTokenizer.js';
import { saveTokenizer } from '../text/saveTokenizer.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { tokenizerDirectory } from '../training/runParts.js';
import type { TrainOptions } from '../training/train.js';
import { trainJointVocabulary } from './jointVocabulary.js';
import type { LanguagePairs, LanguageTexts } from './languageData.js';
import type { VocabularyChoice } from './vocabularyChoice.js';

/** Texts by language, as they are written. */
export interface LanguageLines {
  /** Running text. */
  texts: ReadonlyMap<string, readonly string[]>;
  /** Parallel text, all of the same two languages together. */
  pairs: readonly { from: string; to: string; source: readonly string[]; target: readonly string[] }[];
}

/**
 * Reads texts of languages, and warns of what is left out or was replaced.
 * @throws FILE_NOT_FOUND, FILE_CORRUPT; INPUT_INVALID for a language without text
 */
export async function readLanguageLines(
  texts: LanguageTexts | undefined,
  pairs: LanguagePairs | undefined,
  options: Pick<TrainOptions, 'onWarning'>,
): Promise<LanguageLines> {
  const read = new Map<string, readonly string[]>();
  const named = (language: string) => ({
    onWarning: (message: string) => options.onWarning?.(`${language}: ${message}`),
  });
  for (const [language, sources] of Object.entries(texts ?? {})) {
    const { documents = [] } = await readTexts(sources, undefined, named(language));
    read.set(language, documents);
  }
  const byLanguages = new Map<string, LanguageLines['pairs'][number]>();
  for (const { from, to, ...source } of pairs ?? []) {
    const name = `${from}-${to}`;
    const found = (await readTexts(undefined, [source], named(name))).pairs!;
    const known = byLanguages.get(name) ?? { from, to, source: [], target: [] };
    byLanguages.set(name, {
      ...known,
      source: known.source.concat(found.source),
      target: known.target.concat(found.target),
    });
  }
  for (const [name, { source }] of byLanguages) {
    if (source.length > 0) continue;
    throw new PolybeamError(
      'INPUT_INVALID',
      `The parallel text of ${name} has no pair whose sides both hold text: give text on both sides, line by line.`,
    );
  }
  return { texts: read, pairs: [...byLanguages.values()] };
}

/** All lines of each language, sides of pairs too. */
function byLanguage({ texts, pairs }: LanguageLines): Record<string, readonly string[]> {
  const all: Record<string, readonly string[]> = {};
  const add = (language: string, lines: readonly string[]) => {
    all[language] = (all[language] ?? []).concat(lines);
  };
  for (const [language, lines] of texts) add(language, lines);
  for (const { from, to, source, target } of pairs) {
    add(from, source);
    add(to, target);
  }
  return all;
}

/**
 * The tokenizer that a configuration names, or one learned from its texts and kept in the run directory.
 * @returns it, and where it lies
 * @throws TOKENIZER_INVALID, TOKENIZER_MISSING; what `trainJointVocabulary` throws
 */
export async function prepareJointTokenizer(
  { vocabulary, output }: { vocabulary: VocabularyChoice; output: string },
  lines: LanguageLines,
  modelMaxLength: number | undefined,
  note: (text: string) => void,
): Promise<{ tokenizer: Tokenizer; directory: string }> {
  const directory = tokenizerDirectory(vocabulary, output);
  if ('train' in vocabulary && (await fileAccess().size(`${directory}/tokenizer.json`)) === undefined) {
    note('learning the vocabulary');
    const texts = Object.entries(byLanguage(lines)).map(([language, own]) => [language, () => [own]]);
    const trained = await trainJointVocabulary(Object.fromEntries(texts), vocabulary.train);
    await saveTokenizer(directory, trained.tokenizer, { modelMaxLength });
  }
  return { tokenizer: await loadTokenizer(directory), directory };
}
