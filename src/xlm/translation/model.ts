import type { EncoderDecoder } from '../../decoder/encoderDecoder.js';
import { type XlmTranslatorConfig, xlmTranslator } from '../../decoder/xlm.js';
import { xlmPresets } from '../../encoder/xlm.js';
import { PolybeamError } from '../../errors.js';
import { readXlmConfig } from '../../pretrained/architectures/xlm.js';
import { readXlmTranslatorConfig } from '../../pretrained/architectures/xlmEncoderDecoder.js';
import type { RawConfig } from '../../pretrained/config.js';
import { type ModelDirectory, readModelDirectory } from '../../pretrained/modelDirectory.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import {
  type ModelFiles,
  tokenizerDirectory,
  tokenizerFiles,
  translationIds,
} from '../../training/runParts.js';
import type { TranslationConfig } from './config.js';
import { vocabularyLanguages } from './languageCodes.js';
import { type TranslatorIds, textRoom } from './liveTranslator.js';

/** A translator that is trained, and what makes a directory of its weights a model directory. */
export interface TranslatorModel {
  config: XlmTranslatorConfig;
  decoder: EncoderDecoder;
  ids: TranslatorIds;
  /** Tokens of the longest text that it is given. */
  room: number;
  files: ModelFiles;
  /** The directory that it starts from. */
  init?: ModelDirectory & { name: string };
}

/**
 * The model that a configuration asks for: new, or with the sizes of `init`.
 * @throws TOKENIZER_INVALID, LANGUAGE_UNKNOWN; CONFIG_INVALID where sizes are not those of `init`, or do not fit together
 */
export async function translatorModel(
  config: TranslationConfig,
  tokenizer: Tokenizer,
): Promise<TranslatorModel> {
  const directory = tokenizerDirectory(config.vocabulary, config.output);
  const { padTokenId, eosTokenId } = translationIds(tokenizer);
  const { codes, firstId } = vocabularyLanguages(tokenizer, config.languages, directory);
  const init =
    config.init === undefined ? undefined : { name: config.init, ...(await readModelDirectory(config.init)) };
  const sizes = init ? sizesOfInit(config, init, tokenizer.vocabSize) : newSizes(config);
  const own: XlmTranslatorConfig = {
    ...sizes,
    vocabSize: tokenizer.vocabSize,
    dropout: config.model.dropout,
    attentionDropout: config.model.attentionDropout,
    causal: false,
    useLangEmb: true,
    nLangs: codes.length,
    firstLanguageId: firstId,
  };
  const decoder = xlmTranslator(own);
  const room = textRoom(decoder, config.batch.lengthMultiple);
  refuseSizes(config, own, room, init?.name);
  const languages = new Map(codes.map((code, place) => [code, firstId + place]));
  return {
    config: own,
    decoder,
    room,
    ids: { padTokenId, eosTokenId, languages },
    files: {
      ...translatorFiles(own, { padTokenId, eosTokenId, codes }),
      ...(await tokenizerFiles(directory)),
    },
    init,
  };
}

/** What `model` and `init` decide; the rest comes from the vocabulary. */
type Sizes = Omit<
  XlmTranslatorConfig,
  'vocabSize' | 'dropout' | 'attentionDropout' | 'causal' | 'useLangEmb' | 'nLangs' | 'firstLanguageId'
>;

function newSizes({ model }: TranslationConfig): Sizes {
  const preset = xlmPresets[model.preset ?? 'small'];
  const embDim = model.embDim ?? preset.embDim;
  return {
    embDim,
    nLayers: model.encoderLayers ?? preset.nLayers,
    decoderLayers: model.decoderLayers ?? preset.nLayers,
    nHeads: model.nHeads ?? preset.nHeads,
    geluActivation: model.geluActivation ?? true,
    sinusoidalEmbeddings: model.sinusoidalEmbeddings ?? false,
    maxPositionEmbeddings: model.maxPositionEmbeddings ?? 256,
    embedInitStd: embDim ** -0.5,
    layerNormEps: 1e-12,
    shareEmbeddings: model.shareEmbeddings ?? true,
    tieWordEmbeddings: model.tieWordEmbeddings ?? true,
  };
}

/** The sizes of a directory; a decoder or an encoder may have fewer layers. @throws CONFIG_INVALID, TOKENIZER_INVALID */
function sizesOfInit(
  { model }: TranslationConfig,
  { name, config: raw }: ModelDirectory & { name: string },
  vocabSize: number,
): Sizes {
  const found = readInit(raw, name);
  if (found.vocabSize !== vocabSize) {
    throw new PolybeamError(
      'TOKENIZER_INVALID',
      `init (${name}) has a vocabulary of ${found.vocabSize} tokens, and the tokenizer there has ${vocabSize}: put the tokenizer files ` +
        'there that belong to the model.',
    );
  }
  const same = [
    'embDim',
    'nHeads',
    'geluActivation',
    'sinusoidalEmbeddings',
    'maxPositionEmbeddings',
  ] as const;
  for (const key of same) {
    if (model[key] !== undefined && model[key] !== found[key])
      throw invalid(
        `model.${key} is ${model[key]}, but that of init (${name}) is ${found[key]}: leave it out`,
      );
  }
  for (const [key, most] of [
    ['encoderLayers', found.nLayers],
    ['decoderLayers', found.decoderLayers],
  ] as const) {
    const wanted = model[key];
    if (wanted !== undefined && wanted > most)
      throw invalid(
        `model.${key} is ${wanted}, but init (${name}) has ${most} layers: lower it, or leave it out`,
      );
  }
  return {
    ...found,
    nLayers: model.encoderLayers ?? found.nLayers,
    decoderLayers: model.decoderLayers ?? found.decoderLayers,
    shareEmbeddings: model.shareEmbeddings ?? found.shareEmbeddings,
    tieWordEmbeddings: model.tieWordEmbeddings ?? found.tieWordEmbeddings,
  };
}

/** @throws CONFIG_INVALID where a directory is of neither type that a translator can start from */
function readInit(raw: RawConfig, name: string): XlmTranslatorConfig {
  const path = `${name}/config.json`;
  if (raw.model_type === 'xlm-encoder-decoder') return readXlmTranslatorConfig(raw, path);
  if (raw.model_type === 'xlm') {
    const config = readXlmConfig(raw, path);
    return { ...config, decoderLayers: config.nLayers, shareEmbeddings: true, firstLanguageId: 0 };
  }
  throw invalid(
    `init (${name}) is a model of type ${JSON.stringify(raw.model_type)}: a translator starts from xlm, as polybeam xlm pretrain ` +
      'makes it, or from xlm-encoder-decoder',
  );
}

function refuseSizes(
  { data }: TranslationConfig,
  own: XlmTranslatorConfig,
  room: number,
  init: string | undefined,
): void {
  if (data.maxLength > room) {
    throw invalid(
      `data.maxLength is ${data.maxLength}, and the model has room for texts of ${room} tokens: lower it` +
        (init === undefined ? ', or raise model.maxPositionEmbeddings' : ''),
    );
  }
  if (own.embDim % own.nHeads) {
    throw invalid(
      `model.embDim (${own.embDim}) is not a multiple of model.nHeads (${own.nHeads}): choose sizes that divide`,
    );
  }
}

function invalid(what: string): PolybeamError {
  return new PolybeamError('CONFIG_INVALID', `The configuration: ${what}.`);
}

/** config.json and generation_config.json. */
function translatorFiles(
  config: XlmTranslatorConfig,
  { padTokenId, eosTokenId, codes }: { padTokenId: number; eosTokenId: number; codes: readonly string[] },
): Record<string, string> {
  const shared = {
    bos_token_id: null,
    decoder_start_token_id: eosTokenId,
    eos_token_id: eosTokenId,
    pad_token_id: padTokenId,
  };
  const model: RawConfig = {
    model_type: 'xlm-encoder-decoder',
    is_encoder_decoder: true,
    vocab_size: config.vocabSize,
    emb_dim: config.embDim,
    n_layers: config.nLayers,
    decoder_layers: config.decoderLayers,
    n_heads: config.nHeads,
    dropout: config.dropout,
    attention_dropout: config.attentionDropout,
    gelu_activation: config.geluActivation,
    sinusoidal_embeddings: config.sinusoidalEmbeddings,
    max_position_embeddings: config.maxPositionEmbeddings,
    embed_init_std: config.embedInitStd,
    layer_norm_eps: config.layerNormEps,
    tie_word_embeddings: config.tieWordEmbeddings,
    share_encoder_decoder_embeddings: config.shareEmbeddings,
    n_langs: config.nLangs,
    lang2id: Object.fromEntries(codes.map((code, place) => [code, place])),
    first_language_token_id: config.firstLanguageId,
    torch_dtype: 'float32',
    ...shared,
  };
  const generation = { ...shared, num_beams: 4, max_length: config.maxPositionEmbeddings };
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  return { 'config.json': json(model), 'generation_config.json': json(generation) };
}
