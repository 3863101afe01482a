import { z } from 'zod';
import { readOptions } from '../../eval/options.js';
import { PolybeamError } from '../errors.js';
import { requireFunction, requireObject } from '../inputs.js';
import type { TokenizerJson } from '../text/tokenizerFile.js';
import { makeVocabularyCounter, vocabularyFromCounts } from '../text/trainVocabulary.js';
import {
  type ResolvedVocabularyOptions,
  resolveVocabularyOptions,
  vocabularyOptionsSchema,
} from '../text/vocabularyOptions.js';
import type { JointVocabularyOptions } from './jointVocabulary.types.js';
import type { Texts } from './texts.js';

export type { JointVocabularyOptions };

/** Options of a vocabulary that several languages share. */
export const jointVocabularySchema = vocabularyOptionsSchema
  .omit({ type: true, specialTokens: true, template: true })
  .extend({
    size: z
      .int()
      .min(1)
      .default(32000)
      .describe('Maximum number of tokens in the vocabulary, special tokens and characters included.'),
    alpha: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe(
        'A language with n texts has a weight in proportion to n^alpha: 1 in proportion to its size, 0 the same for all languages.',
      ),
  });

/** A vocabulary that several languages share. */
export interface JointVocabulary {
  /** For `saveTokenizer`. */
  tokenizer: TokenizerJson;
  languages: {
    language: string;
    /** Texts that are not blank. */
    texts: number;
    /** Part of all the text that the language had in learning, from 0 to 1. */
    share: number;
  }[];
}

/** How learning tells where it is. */
export type JointVocabularyProgress = (
  stage: { language: string; texts: number } | { tokens: number },
) => void;

/** Special tokens before those of the languages. `</s>` ends every text. */
const commonTokens = ['<pad>', '</s>', '<unk>', '<mask>'];

/** The special token of a language in a joint vocabulary. */
export function languageToken(language: string): string {
  return `<${language}>`;
}

/**
 * Learns one BPE vocabulary for any number of languages, as XLM does (Conneau and Lample 2019, section 3.1): language l has the share
 * n_l^alpha / sum n^alpha of the text. Its words are counted and their counts multiplied, which is what drawing texts with that
 * probability comes to on average, so nothing is drawn and the result depends on the texts alone. The ids begin with `<pad> </s> <unk>
 * <mask>`, then come the languages' tokens, in the order given.
 *
 * @param texts - by the language's code
 * @throws OPTION_INVALID, OPTION_UNKNOWN, OPTION_CONFLICT for options and codes; INPUT_INVALID for a language without text, naming it
 */
export async function trainJointVocabulary(
  texts: Readonly<Record<string, Texts>>,
  given: JointVocabularyOptions = {},
  onProgress?: JointVocabularyProgress,
): Promise<JointVocabulary> {
  requireObject(texts, 'texts', 'the texts of each language by its code');
  for (const [language, own] of Object.entries(texts)) requireFunction(own, `texts.${language}`);
  const languages = Object.keys(texts);
  const { options, alpha } = resolveJointVocabularyOptions(languages, given);
  const counted: CountedLanguage[] = [];
  for (const language of languages) {
    counted.push(await countLanguage(language, texts[language], options, onProgress));
  }
  const shares = languageShares(
    counted.map((one) => one.texts),
    alpha,
  );
  const words = weightedCounts(counted, shares);
  const tokenizer = vocabularyFromCounts(
    words,
    { ...options, minFrequency: options.minFrequency * unit },
    (stage, tokens) => {
      if (stage === 'tokens') onProgress?.({ tokens });
    },
  );
  const about = counted.map((one, at) => ({ language: one.language, texts: one.texts, share: shares[at] }));
  return { tokenizer, languages: about };
}

/**
 * Checks options and language codes before any text is read.
 * @throws OPTION_INVALID, OPTION_UNKNOWN, OPTION_CONFLICT
 */
export function resolveJointVocabularyOptions(
  languages: readonly string[],
  given: JointVocabularyOptions,
): { options: ResolvedVocabularyOptions; alpha: number } {
  if (languages.length === 0) {
    throw new PolybeamError('OPTION_INVALID', 'There is no language: give texts of at least one.');
  }
  for (const language of languages) requireLanguageCode(language);
  const { alpha, size } = readOptions(jointVocabularySchema, given, 'the joint vocabulary');
  const { alpha: _, ...rest } = given;
  const specialTokens = [...commonTokens, ...languages.map(languageToken)];
  const options = resolveVocabularyOptions({ ...rest, size, type: 'bpe', specialTokens, template: 'eos' });
  return { options, alpha };
}

/** Throws OPTION_INVALID for what cannot be the name of a language. */
export function requireLanguageCode(language: string): void {
  const taken = commonTokens.includes(languageToken(language)) || language === 's';
  // Objects are looked up by codes, and have some keys of their own.
  const isKey = language in Object.prototype;
  if (/^[\p{L}\p{N}_-]+$/u.test(language) && !taken && !isKey) return;
  throw new PolybeamError(
    'OPTION_INVALID',
    `"${language}" cannot be the code of a language${taken ? ', since the vocabulary has such a token for itself' : ''}: ` +
      'give letters, digits, - and _, such as en or pt_BR.',
  );
}

/** n^alpha / sum n^alpha of each count. */
export function languageShares(counts: readonly number[], alpha: number): number[] {
  const powers = counts.map((count) => count ** alpha);
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

interface CountedLanguage {
  language: string;
  texts: number;
  words: Map<string, number>;
}

async function countLanguage(
  language: string,
  texts: Texts,
  options: ResolvedVocabularyOptions,
  onProgress?: JointVocabularyProgress,
): Promise<CountedLanguage> {
  const counter = makeVocabularyCounter(options);
  let seen = 0;
  for await (const lines of texts()) {
    for (const line of lines) {
      if (line.trim() === '') continue;
      counter.add(line);
      seen++;
    }
    onProgress?.({ language, texts: seen });
  }
  const words = counter.counts();
  if (words.size === 0) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `The texts of language ${language} hold no word to learn a vocabulary from: give text.`,
    );
  }
  return { language, texts: seen, words };
}

/** Weighted counts are whole multiples of 1 / unit: sums of whole numbers do not depend on their order. */
const unit = 1024;

function weightedCounts(counted: readonly CountedLanguage[], shares: readonly number[]): Map<string, number> {
  const all = counted.reduce((sum, { texts }) => sum + texts, 0);
  const sums = new Map<string, number>();
  counted.forEach(({ words, texts }, at) => {
    const weight = (shares[at] * all * unit) / texts;
    for (const [word, count] of words) {
      sums.set(word, (sums.get(word) ?? 0) + Math.max(1, Math.round(count * weight)));
    }
  });
  return sums;
}
