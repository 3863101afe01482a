import { z } from 'zod';
import { textSourceSchema } from '../pretraining/corpus.js';
import { dataSourceSchema } from '../training/config.js';

const code = z.string().min(1);

/** Running text by language: for each a list of files. */
export const languageTextsSchema = z.record(code, z.array(textSourceSchema).min(1));

/** Parallel text with the languages of its sides. */
export const languagePairsSchema = z
  .array(
    dataSourceSchema.extend({
      from: code.describe('Language of the source side.'),
      to: code.describe('Language of the target side.'),
    }),
  )
  .min(1);

/** Running text by language. */
export type LanguageTexts = z.output<typeof languageTextsSchema>;

/** Parallel text with the languages of its sides. */
export type LanguagePairs = z.output<typeof languagePairsSchema>;

/** Whether a value is an object and no list. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listed = (entry: unknown) => (isObject(entry) ? [entry] : entry);

/** The data section of a configuration with its short forms written out: `{...}` for a list of one, `mono.en` for `{ text: mono.en }`. */
export function wrapLanguageData(value: unknown): unknown {
  if (!isObject(value) || !isObject(value.data)) return value;
  const data: Record<string, unknown> = { ...value.data };
  for (const key of ['pairs', 'validationPairs']) if (key in data) data[key] = listed(data[key]);
  for (const key of ['train', 'validation']) {
    const texts = data[key];
    if (!isObject(texts)) continue;
    data[key] = Object.fromEntries(
      Object.entries(texts).map(([language, entry]) => [
        language,
        typeof entry === 'string' ? [{ text: entry }] : listed(entry),
      ]),
    );
  }
  return { ...value, data };
}

/** Codes of all languages of training data, in the order in which they are first named. */
export function languagesOfData({
  train = {},
  pairs = [],
}: {
  train?: LanguageTexts;
  pairs?: LanguagePairs;
}): string[] {
  return [...new Set([...Object.keys(train), ...pairs.flatMap(({ from, to }) => [from, to])])];
}
