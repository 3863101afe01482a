import type { ParameterSpec } from '../../engine/parameters.js';
import type { StoredWeight, WeightStore } from '../../engine/weights.js';
import { PolybeamError } from '../../errors.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { initialWeights, warmStartFrom } from '../../training/initialize.js';
import { normalInit } from '../../training/random.js';
import { readVectors } from '../vectors/vectorFile.js';
import type { TranslationConfig } from './config.js';
import type { TranslatorModel } from './model.js';

/** The weights that training begins with, and a line that says where they come from. */
export interface Start {
  weights: Map<string, Float32Array>;
  notes: string[];
}

/**
 * Random weights, those of `init`, or random ones with embeddings from vectors.
 * @throws WEIGHT_SHAPE, WEIGHT_MISSING for `init`; CONFIG_INVALID for vectors of another size; what `readVectors` throws
 */
export async function translatorStart(
  config: TranslationConfig,
  specs: readonly ParameterSpec[],
  model: TranslatorModel,
  tokenizer: Tokenizer,
): Promise<Start> {
  if (model.init) return fromInit(config, specs, model, model.init);
  const weights = initialWeights(specs, config.seed);
  if (!config.embeddings) return { weights, notes: [] };
  const tables = ['encoder', 'decoder'].map((side) => `${side}.embeddings.weight`);
  const found = await tokenVectors(config.embeddings, tokenizer, model.config.embDim);
  for (const table of tables) {
    const values = weights.get(table);
    if (values) placeVectors(values, found, model.config);
  }
  const note = `embeddings: ${found.size} of ${tokenizer.vocabSize} tokens have a vector in ${config.embeddings.join(', ')}`;
  return { weights, notes: [note] };
}

async function fromInit(
  { seed }: TranslationConfig,
  specs: readonly ParameterSpec[],
  model: TranslatorModel,
  init: NonNullable<TranslatorModel['init']>,
): Promise<Start> {
  const { name, config: raw, weights: stored } = init;
  const isStack = raw.model_type === 'xlm';
  const store = isStack ? bothStacks(stored) : sharedTables(stored);
  const languages = raw.lang2id as Record<string, number> | undefined;
  const own = isStack ? withLanguages(store, languages ?? {}, model, seed) : store;
  const { weights, fresh } = await warmStartFrom(specs, seed, own, name);
  const groups = [...new Set(fresh.map((one) => one.replace(/\.\d+\..*$|\.weight$|\.bias$/, '')))];
  const random = fresh.length > 0 ? `; ${fresh.length} start at random: ${groups.join(', ')}` : '';
  return {
    weights,
    notes: [`init: ${specs.length - fresh.length} of ${specs.length} weights from ${name}${random}`],
  };
}

/** A store in which weights have other names. @param nameOf undefined where there is none */
function renamedStore(stored: WeightStore, nameOf: (name: string) => string | undefined): WeightStore {
  const from = (name: string) => nameOf(name) ?? name;
  return {
    names: stored.names,
    get: (name) => stored.get(from(name)),
    read: (name) => stored.read(from(name)),
  };
}

/** One stack as encoder and as decoder; its head is the decoder's. */
function bothStacks(stored: WeightStore): WeightStore {
  const scope = stored.get('transformer.embeddings.weight') ? 'transformer.' : '';
  return renamedStore(stored, (name) => {
    const [side, inner] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)];
    return side === 'decoder' && inner.startsWith('pred_layer.') ? inner : `${scope}${inner}`;
  });
}

/** Tables that the decoder has for itself and the directory has not: the encoder's. */
function sharedTables(stored: WeightStore): WeightStore {
  return renamedStore(stored, (name) =>
    stored.get(name) ? undefined : name.replace(/^decoder\.(?=(position_|lang_)?embeddings\.)/, 'encoder.'),
  );
}

const isLanguageTable = (name: string) => name.endsWith('.lang_embeddings.weight');

/** Rows of the table of languages by code; a language that the directory does not know starts at random. */
function withLanguages(
  store: WeightStore,
  places: Readonly<Record<string, number>>,
  { config: { nLangs, embDim, embedInitStd }, ids }: TranslatorModel,
  seed: number,
): WeightStore {
  const known = (name: string) => isLanguageTable(name) && store.get(name) !== undefined;
  return {
    names: store.names,
    get: (name): StoredWeight | undefined => {
      const found = store.get(name);
      return known(name) && found ? { ...found, shape: [nLangs, embDim] } : found;
    },
    read: async (name) => {
      const values = await store.read(name);
      if (!known(name)) return values;
      const rows = normalInit(seed, name, [nLangs, embDim], embedInitStd);
      [...ids.languages.keys()].forEach((code, row) => {
        const place = places[code];
        if (place !== undefined)
          rows.set(values.subarray(place * embDim, (place + 1) * embDim), row * embDim);
      });
      return rows;
    },
  };
}

/**
 * A vector for each token, by id: the mean of the vectors of words that it is a part of, weighted by how frequent they are, which their
 * order tells (Zipf), and by how large a part it is. Where a token is a word, that word weighs most.
 */
async function tokenVectors(
  paths: readonly string[],
  tokenizer: Tokenizer,
  size: number,
): Promise<Map<number, Float32Array>> {
  const sums = new Map<number, Float32Array>();
  for (const path of paths) {
    const vectors = await readVectors(path);
    if (vectors.size !== size) {
      throw new PolybeamError(
        'CONFIG_INVALID',
        `The configuration: vectors of ${path} have ${vectors.size} numbers, and model.embDim is ${size}: set it to ${vectors.size}, ` +
          `or make vectors of ${size}.`,
      );
    }
    const words = vectors.words
      .map((word, rank) => ({ word, rank }))
      .filter(({ word }) => !word.includes(' '));
    const encoded = await tokenizer.encodeBatch(
      words.map(({ word }) => word),
      { addSpecialTokens: false },
    );
    words.forEach(({ rank }, at) => {
      const { ids } = encoded[at];
      const weight = 1 / ((rank + 10) * ids.length);
      for (const id of ids) {
        const sum = sums.get(id) ?? new Float32Array(size);
        for (let i = 0; i < size; i++) sum[i] += weight * vectors.values[rank * size + i];
        sums.set(id, sum);
      }
    });
  }
  for (const id of Object.values(tokenizer.specialIds)) sums.delete(id);
  return sums;
}

/** Puts vectors into a table, each as long as its rows are on average. */
function placeVectors(
  table: Float32Array,
  vectors: ReadonlyMap<number, Float32Array>,
  { embDim, embedInitStd }: TranslatorModel['config'],
): void {
  const length = embedInitStd * Math.sqrt(embDim);
  for (const [id, vector] of vectors) {
    const norm = Math.hypot(...vector);
    if (norm > 0)
      table.set(
        vector.map((value) => (value * length) / norm),
        id * embDim,
      );
  }
}
