import { z } from 'zod';
import { textSourceSchema } from '../pretraining/corpus.js';
import { dataSourceSchema } from '../training/config.js';
import { sourceProblem } from '../training/parseConfig.js';
import { requireLanguageCode } from './jointVocabulary.js';

// Objects are looked up by codes, and have these keys of their own.
const code = z
  .string()
  .min(1)
  .refine((text) => !(text in Object.prototype), 'a code such as en or pt_BR');

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

/** What is wrong with a language's code, for messages about `data`. */
export function codeProblem(language: string): string | undefined {
  try {
    requireLanguageCode(language);
  } catch (error) {
    return `data: ${(error as Error).message.replace(/\.$/, '')}`;
  }
  return undefined;
}

/** What is wrong with each source of parallel text. @param name of the list, for messages */
export function pairProblems(pairs: LanguagePairs | undefined, name: string): (string | undefined)[] {
  return (pairs ?? []).map((pair, at) =>
    pair.from === pair.to
      ? `${name}[${at}] is of ${pair.from} on both sides: give two languages in from and to`
      : sourceProblem(pair, `${name}[${at}]`),
  );
}
