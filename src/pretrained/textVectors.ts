import { integers } from '../engine/values.js';
import { PolybeamError } from '../errors.js';
import {
  inputName,
  requireIntegerOption,
  requireOptionNames,
  requireText,
  requireTexts,
  wrongInput,
} from '../inputs.js';
import { encodeTexts } from './encodeTexts.js';
import { type Model, modelParts, requireModel } from './model.js';
import type { ModelParts } from './modelParts.js';

/** How texts are read for their vectors. */
export interface VectorOptions {
  /** Texts read at once. Default 32. */
  batchSize?: number;
  /** The language of the texts, for models that have embeddings of languages (XLM); default none. */
  language?: string;
}

/**
 * What a model says of each text at its first token ([CLS]), as a vector of length 1: the product of two is their cosine. Meant for
 * encoders that learned to compare texts so (SimBERT, RoFormer-Sim). Where config.json has `pooler_activation` "linear", and there
 * is a pooler, it is the pooler's output.
 * @throws INPUT_INVALID for a model that gives no hidden states; TOKENIZER_MISSING
 */
export async function embedTexts(
  model: Model,
  texts: readonly string[],
  options: VectorOptions = {},
): Promise<Float32Array[]> {
  requireModel(model);
  requireTexts(texts, 'texts', inputName);
  model[modelParts].requireAlive();
  const encoded = await encodeTexts(model[modelParts], texts);
  return embedIds(
    model,
    encoded.map(({ ids }) => ids),
    options,
  );
}

/** The same for ids, special tokens included. @throws INPUT_INVALID */
export async function embedIds(
  model: Model,
  texts: readonly ArrayLike<number>[],
  options: VectorOptions = {},
): Promise<Float32Array[]> {
  model[modelParts].requireAlive();
  requireOptionNames(options, ['batchSize', 'language'], 'embedTexts');
  const { batchSize = 32, language } = options;
  requireIntegerOption('batchSize', batchSize, 1);
  if (language !== undefined) requireText(language, 'Option language');
  const { maxSource, directory } = model[modelParts];
  const bad = texts.findIndex((ids) => ids.length === 0 || ids.length > maxSource);
  if (bad >= 0) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${inputName(bad)} has ${texts[bad].length} token ids; ${directory} reads 1 to ${maxSource}: shorten it, or leave it out.`,
    );
  }
  const lang = language === undefined ? -1 : languageNumber(model[modelParts], language);
  const vectors: Float32Array[] = new Array(texts.length);
  // Those of like length together, so that little is padded.
  const order = texts.map((_, at) => at).sort((a, b) => texts[a].length - texts[b].length);
  for (let from = 0; from < order.length; from += batchSize) {
    const batch = order.slice(from, from + batchSize);
    const found = await embedBatch(
      model[modelParts],
      batch.map((at) => texts[at]),
      lang,
    );
    batch.forEach((at, row) => {
      vectors[at] = found[row];
    });
  }
  return vectors;
}

/** Scalar product; of two vectors of length 1 their cosine. */
export function similarity(a: Float32Array, b: Float32Array): number {
  for (const [name, vector] of Object.entries({ a, b })) {
    if (!(vector instanceof Float32Array))
      throw wrongInput(name, vector, 'give a Float32Array, as embedTexts does');
  }
  if (a.length !== b.length) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `a has ${a.length} features and b ${b.length}; give vectors of one model.`,
    );
  }
  return a.reduce((sum, value, at) => sum + value * b[at], 0);
}

async function embedBatch(
  { statesProgram, config, directory }: ModelParts,
  texts: readonly ArrayLike<number>[],
  lang: number,
): Promise<Float32Array[]> {
  const width = Math.max(...texts.map((ids) => ids.length));
  const size = [texts.length, width];
  const given = {
    inputIds: integers(size),
    attentionMask: integers(size),
    tokenTypeIds: integers(size),
    langs: integers(size),
  };
  given.langs.data.fill(lang);
  texts.forEach((ids, row) => {
    given.inputIds.data.set(ids as number[], row * width);
    given.attentionMask.data.fill(1, row * width, row * width + ids.length);
  });
  const program = await statesProgram();
  const has = (name: string) => program.outputs.some((output) => output.name === name);
  const output =
    config.pooler_activation === 'linear' && has('poolerOutput') ? 'poolerOutput' : 'lastHiddenState';
  if (!has(output)) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${directory} gives no hidden states, so it has no vectors of texts: take a bert, roformer, xlm or xlm-roberta model.`,
    );
  }
  const needed = Object.entries(given).filter(([name]) =>
    program.inputs.some((input) => input.name === name),
  );
  const { data, shape } = (await program.run(Object.fromEntries(needed)))[output];
  const features = shape[shape.length - 1];
  // Of hidden states the first position, of a pooler's output all there is.
  const stride = data.length / texts.length;
  return texts.map((_, row) => unit((data as Float32Array).slice(row * stride, row * stride + features)));
}

/** @throws LANGUAGE_UNKNOWN; OPTION_INVALID for a model without languages */
function languageNumber({ config, directory, idCounts }: ModelParts, language: string): number {
  if (idCounts.langs === undefined) {
    throw new PolybeamError(
      'OPTION_INVALID',
      `Option language cannot be ${language}: ${directory} has no embeddings of languages; leave it out.`,
    );
  }
  const numbers = new Map(Object.entries((config.lang2id ?? {}) as Record<string, number>));
  const found = numbers.get(language);
  if (found !== undefined && found < idCounts.langs) return found;
  throw new PolybeamError(
    'LANGUAGE_UNKNOWN',
    `${directory} has no language ${language}; it has ${[...numbers.keys()].sort().join(', ') || 'none that config.json names (lang2id)'}.`,
  );
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(similarity(vector, vector));
  return length === 0 ? vector : vector.map((value) => value / length);
}
