import type { Device } from '../../engine/program.js';
import { PolybeamError } from '../../errors.js';
import type { ForcedWords } from '../../generation/constraints.js';
import type { GenerationOptions } from '../../generation/options.js';
import type { Shortlist } from '../../generation/shortlist.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import {
  type LanguageModel,
  loadLanguageModel,
  translateByPhrases,
  translateByTable,
} from '../table/phraseTranslator.js';
import { constraintsFromTable } from '../table/tableConstraints.js';
import { openTable, type TranslationTable } from '../table/translationTable.js';
import { splitIntoWords } from '../words.js';
import type { Generate } from './batches.js';
import type { TranslationConfig } from './config.js';
import type { LanguageIds } from './data.js';
import { directionName } from './languageCodes.js';
import type { LiveTranslator } from './liveTranslator.js';

/** What makes the translations of back-translation. */
export interface Generation {
  generate: Generate;
  /** Frees language models. */
  release(): Promise<void>;
}

interface Parts {
  data: LanguageIds;
  translator: LiveTranslator;
  tokenizer: Tokenizer;
  vocabSize: number;
  /** Tokens of a translation at most. */
  room: number;
}

/** Rounds of translations by tables where the configuration does not say how many. */
const defaultTableRounds = 500;

/**
 * Translations as a configuration wants them: by tables in the first rounds, then by the model, perhaps held to tokens and phrases.
 * @throws what `openTable` and `loadLanguageModel` throw; INPUT_INVALID for a table of other words than the texts'
 */
export async function openGeneration(
  { backTranslation }: TranslationConfig,
  parts: Parts,
  device: { device: Device; threads?: number },
): Promise<Generation> {
  const { onlyOwnTokens, tableRounds = defaultTableRounds, constraints } = backTranslation;
  const tables = await openTables(backTranslation, parts);
  const models = await openModels(backTranslation.languageModels ?? {}, device);
  const own = onlyOwnTokens > 0 ? tokensByLanguage(parts.data, parts.vocabSize) : undefined;
  const { rounds: constrained = Number.POSITIVE_INFINITY, ...sure } = constraints ?? {};
  return {
    generate: async (texts, direction, { round, seed }) => {
      const table = tables.get(directionName(direction));
      if (table && round < tableRounds) return translateAll(table, models.get(direction.to), texts, parts);
      const options: GenerationOptions = {
        ...decodingOptions(backTranslation, seed),
        ...(own && round < onlyOwnTokens && { shortlist: own.get(direction.to) }),
      };
      if (!constraints || !table || round >= constrained)
        return parts.translator.translate(texts, direction, options);
      const forceWordsIds = await phrasesOf(table, texts, parts.tokenizer, sure);
      // Nothing to demand is no constrained search.
      return parts.translator.translate(
        texts,
        direction,
        options,
        forceWordsIds.some((words) => words.length > 0) ? { forceWordsIds } : {},
      );
    },
    release: async () => {
      for (const model of models.values()) await model.dispose();
    },
  };
}

function decodingOptions(
  { decoding, temperature = 1, topK = 0, numBeams = 4 }: TranslationConfig['backTranslation'],
  seed: number,
): GenerationOptions {
  if (decoding === 'sample') return { doSample: true, temperature, topK, seed };
  return decoding === 'beam' ? { numBeams } : {};
}

async function openModels(
  paths: Readonly<Record<string, string>>,
  device: { device: Device; threads?: number },
): Promise<Map<string, LanguageModel>> {
  const models = new Map<string, LanguageModel>();
  for (const [language, path] of Object.entries(paths))
    models.set(language, await loadLanguageModel(path, device));
  return models;
}

/** Tables by what they translate, each checked against the texts that it is to translate. */
async function openTables(
  { tables: paths, directions }: TranslationConfig['backTranslation'],
  { data, tokenizer }: Parts,
): Promise<Map<string, TranslationTable>> {
  const tables = new Map<string, TranslationTable>();
  if (!paths) return tables;
  for (const { from, to } of directions) {
    const name = directionName({ from: to, to: from });
    const table = await openTable(paths[name]);
    await requireWords(table, paths[name], data.texts.get(to)!, tokenizer, to);
    tables.set(name, table);
  }
  return tables;
}

/** Texts that a table is tried on, and the least part of their words that it must know. */
const [triedTexts, leastKnown] = [200, 0.1];

/** @throws INPUT_INVALID for a table that hardly knows a word of the texts */
async function requireWords(
  table: TranslationTable,
  path: string,
  texts: readonly Int32Array[],
  tokenizer: Tokenizer,
  language: string,
): Promise<void> {
  const some = await textsOf(texts.slice(0, triedTexts), tokenizer);
  const words = some.flatMap((text) => splitIntoWords(text).map((word) => word.text));
  const unknown = words.filter((word) => !table.has(word) && !table.has(word.toLowerCase()));
  if (words.length === 0 || 1 - unknown.length / words.length >= leastKnown) return;
  throw new PolybeamError(
    'INPUT_INVALID',
    `${path} has ${words.length - unknown.length} of ${words.length} words of the texts of ${language}, and not ` +
      `"${unknown[0]}": give a table whose source language is ${language} and that is spelled as the texts are.`,
  );
}

function textsOf(texts: readonly ArrayLike<number>[], tokenizer: Tokenizer): Promise<string[]> {
  return tokenizer.decodeBatch(texts.map((ids) => Int32Array.from(ids)));
}

/** Translations by a table, and a language model where there is one. */
async function translateAll(
  table: TranslationTable,
  model: LanguageModel | undefined,
  texts: readonly ArrayLike<number>[],
  { tokenizer, room }: Parts,
): Promise<number[][]> {
  const written = await textsOf(texts, tokenizer);
  const outputs = model
    ? await translateByPhrases(table, model, written)
    : written.map((text) => translateByTable(table, text));
  const encoded = await tokenizer.encodeBatch(
    outputs.map(({ text }) => text),
    { addSpecialTokens: false },
  );
  return encoded.map(({ ids }) => ids.slice(0, room));
}

/** For each text the translations that a table is sure of. */
async function phrasesOf(
  table: TranslationTable,
  texts: readonly ArrayLike<number>[],
  tokenizer: Tokenizer,
  options: object,
): Promise<ForcedWords[]> {
  const words: ForcedWords[] = [];
  for (const text of await textsOf(texts, tokenizer))
    words.push((await constraintsFromTable(table, text, tokenizer, options)).forceWordsIds);
  return words;
}

/** A token is a language's own where its share of the texts is at least this part of its share in any other language. */
const ownShare = 0.01;

/** Of each language the tokens that its texts have, as a list of what may come whatever the source. */
export function tokensByLanguage(
  { texts }: Pick<LanguageIds, 'texts'>,
  vocabSize: number,
): Map<string, Shortlist> {
  const shares = new Map<string, Float64Array>();
  for (const [language, list] of texts) {
    const counts = new Float64Array(vocabSize);
    let all = 0;
    for (const text of list) {
      for (const id of text) counts[id]++;
      all += text.length;
    }
    shares.set(
      language,
      counts.map((count) => count / all),
    );
  }
  const largest = (id: number) => Math.max(...[...shares.values()].map((share) => share[id]));
  return new Map(
    [...shares].map(([language, share]) => {
      const always = [...share.keys()].filter((id) => share[id] > 0 && share[id] >= ownShare * largest(id));
      return [
        language,
        { always: Int32Array.from(always), offsets: new Int32Array(1), targets: new Int32Array(0) },
      ];
    }),
  );
}
