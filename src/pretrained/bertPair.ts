import type { WeightStore } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { loadTokenizer } from '../text/loadTokenizer.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { bertScope, readBertConfig } from './architectures/bert.js';
import { encoderDecoder, sides } from './architectures/encoderDecoder.js';
import type { RawConfig } from './config.js';
import { readModelDirectory } from './modelDirectory.js';
import type { StartingModel } from './startingModel.js';

/** Where one side of a new encoder-decoder comes from: a directory, or random weights of its sizes. */
export type PairSide = string | { random: string };

/** Both sides. */
export interface BertPairOptions {
  encoder: PairSide;
  decoder: PairSide;
  /** One set of weights for what both sides have; then both are the same. */
  share: boolean;
}

interface Side {
  directory: string;
  random: boolean;
  config: RawConfig;
  weights: WeightStore;
  /** Before the names of embeddings and layers in the directory. */
  prefix: string;
}

/**
 * An encoder-decoder from directories of BERT's family (Rothe et al. 2020): the decoder begins as the same kind of BERT, its
 * head as its masked-LM head where it has one; cross-attention is new. Laid out as transformers' EncoderDecoderModel.
 * @throws MODEL_TYPE_UNKNOWN for another model type; WEIGHT_SHAPE where sizes differ that must not; TOKENIZER_INVALID
 */
export async function openBertPair({ encoder, decoder, share }: BertPairOptions): Promise<StartingModel> {
  const [reader, writer] = [await openSide('encoder', encoder), await openSide('decoder', decoder)];
  checkSizes(reader, writer);
  const tokenizer = await loadTokenizer(reader.directory);
  const ids = pairIds(reader, tokenizer);
  const config: RawConfig = {
    architectures: ['EncoderDecoderModel'],
    model_type: 'encoder-decoder',
    is_encoder_decoder: true,
    encoder: sideConfig(reader.config, false),
    decoder: sideConfig(writer.config, true),
    ...(share ? { tie_encoder_decoder: true } : {}),
    ...ids,
  };
  const weights = pairWeights(reader, writer, share);
  const name = share ? `${reader.directory} (shared)` : `${reader.directory} and ${writer.directory}`;
  return {
    name,
    config,
    generationConfig: { ...ids },
    architecture: encoderDecoder,
    definition: encoderDecoder.define(config, weights, name, tokenizer.specialIds),
    weights,
    mayLack: true,
    tokenizerDirectory: reader.directory,
  };
}

async function openSide(name: 'encoder' | 'decoder', side: PairSide): Promise<Side> {
  const random = typeof side !== 'string';
  const directory = random ? side.random : side;
  const { config, weights } = await readModelDirectory(directory);
  const modelType = String(config.model_type);
  if (!Object.hasOwn(sides, modelType)) {
    throw new PolybeamError(
      'MODEL_TYPE_UNKNOWN',
      `${name}: ${directory} is a ${modelType} model; a side can start from ${Object.keys(sides).join(' and ')}.`,
    );
  }
  const scope = bertScope(weights);
  return { directory, random, config, weights, prefix: scope ? `${scope}.` : '' };
}

/** The decoder's cross-attention reads the encoder, and both read the tokens of one tokenizer. @throws WEIGHT_SHAPE */
function checkSizes(encoder: Side, decoder: Side): void {
  const table = ({ config, directory }: Side) => {
    const { segments } = sides[String(config.model_type)];
    const { vocabSize, hiddenSize } = readBertConfig(config, `${directory}/config.json`, segments);
    return `[${vocabSize}, ${hiddenSize}]`;
  };
  const [wanted, found] = [table(encoder), table(decoder)];
  if (wanted === found) return;
  throw new PolybeamError(
    'WEIGHT_SHAPE',
    `embeddings.word_embeddings.weight is ${found} in the decoder's ${decoder.directory}, but the encoder's ${encoder.directory} wants ${wanted}: take directories of one hidden size and one vocabulary.`,
  );
}

function sideConfig(raw: RawConfig, isDecoder: boolean): RawConfig {
  const { polybeam: _, architectures: __, torch_dtype: ___, ...config } = raw;
  return { ...config, is_decoder: isDecoder, add_cross_attention: isDecoder };
}

/** The tokens that a target begins and ends with: BERT's [CLS] and [SEP], or start and end. */
function pairIds({ directory }: Side, { specialIds }: Tokenizer) {
  const start = specialIds.cls ?? specialIds.bos;
  const end = specialIds.sep ?? specialIds.eos;
  const { pad } = specialIds;
  if (start !== undefined && end !== undefined && pad !== undefined) {
    return { decoder_start_token_id: start, bos_token_id: start, eos_token_id: end, pad_token_id: pad };
  }
  throw new PolybeamError(
    'TOKENIZER_INVALID',
    `The tokenizer of ${directory} has no ${start === undefined ? 'start' : end === undefined ? 'end' : 'padding'} token, which a decoder needs: [CLS], [SEP] and [PAD], or their like.`,
  );
}

/** The weights of both by the names of the pair; what starts at random is not among them. */
function pairWeights(encoder: Side, decoder: Side, share: boolean): WeightStore {
  const places = new Map<string, { store: WeightStore; name: string }>();
  const add = (name: string, { weights, random }: Side, own: string) => {
    if (!random) places.set(name, { store: weights, name: own });
  };
  for (const own of encoder.weights.names()) {
    const bare = bareName(own, encoder.prefix);
    if (bare !== undefined) add(`encoder.${bare}`, encoder, own);
  }
  for (const own of decoder.weights.names()) {
    const bare = bareName(own, decoder.prefix);
    // What is shared is the encoder's, and a decoder pools nothing.
    if (bare !== undefined && (share || bare.startsWith('pooler.'))) continue;
    if (bare !== undefined) add(`decoder.bert.${bare}`, decoder, own);
    else if (/^(cls\.predictions|lm_head)\./.test(own)) add(`decoder.${own}`, decoder, own);
  }
  const at = (name: string) => places.get(name);
  return {
    names: () => [...places.keys()],
    get: (name) => at(name)?.store.get(at(name)!.name),
    read: async (name) => at(name)!.store.read(at(name)!.name),
  };
}

/** The name of a weight below the scope of BERT's own, or undefined where it is none of those. */
function bareName(name: string, prefix: string): string | undefined {
  const bare = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^(embeddings|encoder|pooler)\./.test(bare) ? bare : undefined;
}
