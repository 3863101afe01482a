import type { XlmConfig } from '../../encoder/xlm.js';
import { PolybeamError } from '../../errors.js';
import { alternatingPositions } from '../../nn/positions.js';
import { readXlmConfig, xlm } from '../../pretrained/architectures/xlm.js';
import type { RawConfig } from '../../pretrained/config.js';
import { readModelDirectory } from '../../pretrained/modelDirectory.js';
import { configFor, configText } from '../../pretrained/saveModel.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { type ModelFiles, tokenizerFiles } from '../../training/runParts.js';
import type { TrainTensor } from '../../training/trainStep.js';
import { languageToken } from '../jointVocabulary.js';
import type { XlmModelConfig, XlmPretrainConfig } from './config.js';
import { stackScope } from './loss.js';
import type { Language } from './objective.js';

/** An XLM that is pre-trained, and what makes a directory of its weights a model directory. */
export interface PretrainedXlm {
  model: XlmConfig;
  /** By code. */
  languages: ReadonlyMap<string, Language>;
  files: ModelFiles;
  /** Weights that are computed, which transformers wants in the file all the same. */
  untrained?: ReadonlyMap<string, TrainTensor>;
}

/** The token that ends a sentence. @throws TOKENIZER_INVALID */
export function endTokenOf({ specialIds }: Tokenizer): number {
  const end = specialIds.eos ?? specialIds.sep;
  if (end !== undefined) return end;
  throw new PolybeamError(
    'TOKENIZER_INVALID',
    'The tokenizer has no end token, which stands between the sentences of a stream: add </s> to its special tokens.',
  );
}

/**
 * The model that a configuration asks for: a new one of some languages, or that of the directory `init`.
 * @param codes languages of the data
 * @param tokenizerDirectory where the tokenizer lies
 * @throws CONFIG_INVALID where `init` holds no XLM with the head of a language model; LANGUAGE_UNKNOWN where it lacks a language
 */
export async function pretrainedXlm(
  config: XlmPretrainConfig,
  codes: readonly string[],
  tokenizer: Tokenizer,
  tokenizerDirectory: string,
): Promise<PretrainedXlm> {
  const files = await tokenizerFiles(tokenizerDirectory);
  const { length } = config.data;
  if (config.init !== undefined) return fromDirectory(config.init, codes, tokenizer, files, length);
  const languages = numberLanguages(codes, tokenizer);
  const causal = config.objectives.every(({ type }) => type === 'clm');
  const raw = withRowLength(newConfig(config.model!, languages, tokenizer, causal), length);
  return made(readXlmConfig(raw, 'model'), languages, { ...files, 'config.json': configText(raw) });
}

/** Says in config.json how long the rows are: no position after that was seen. */
function withRowLength(config: RawConfig, length: number): RawConfig {
  return { ...config, polybeam: { ...(config.polybeam as RawConfig | undefined), row_length: length } };
}

/** Tokens of a row in the pre-training of a model, where it says so. */
export function rowLengthOf(config: RawConfig): number | undefined {
  const length = (config.polybeam as RawConfig | undefined)?.row_length;
  return typeof length === 'number' ? length : undefined;
}

function made(model: XlmConfig, languages: PretrainedXlm['languages'], files: ModelFiles): PretrainedXlm {
  if (!model.sinusoidalEmbeddings) return { model, languages, files };
  const { maxPositionEmbeddings: rows, embDim } = model;
  const positions = { shape: [rows, embDim], data: alternatingPositions(rows, embDim) };
  const untrained = new Map([[`${stackScope}.position_embeddings.weight`, positions]]);
  return { model, languages, files, untrained };
}

/**
 * Numbers of languages: in the order of their tokens where the vocabulary has one for each (`<en>`), all of those included, since a
 * translation model tells languages by these tokens; else in the order given.
 */
export function numberLanguages(
  codes: readonly string[],
  tokenizer: Tokenizer,
): ReadonlyMap<string, Language> {
  const roles = new Set(Object.values(tokenizer.specialTokens));
  const tokens = (tokenizer.addedTokens ?? []).filter(
    (token) => /^<[\p{L}\p{N}_-]+>$/u.test(token) && !roles.has(token),
  );
  const complete = codes.every((code) => tokens.includes(languageToken(code)));
  const ordered = [...tokens].sort((a, b) => tokenizer.tokenToId(a)! - tokenizer.tokenToId(b)!);
  const all = complete ? ordered.map((token) => token.slice(1, -1)) : codes;
  return new Map(all.map((code, number) => [code, { code, number }]));
}

function newConfig(
  model: XlmModelConfig,
  languages: PretrainedXlm['languages'],
  tokenizer: Tokenizer,
  causal: boolean,
): RawConfig {
  const { pad, unk, mask } = tokenizer.specialIds;
  const end = endTokenOf(tokenizer);
  const numbered = [...languages.values()];
  return {
    architectures: ['XLMWithLMHeadModel'],
    model_type: 'xlm',
    vocab_size: tokenizer.vocabSize,
    emb_dim: model.embDim,
    n_layers: model.nLayers,
    n_heads: model.nHeads,
    dropout: model.dropout,
    attention_dropout: model.attentionDropout,
    gelu_activation: model.geluActivation,
    sinusoidal_embeddings: model.sinusoidalEmbeddings,
    causal,
    asm: false,
    n_langs: numbered.length,
    use_lang_emb: model.useLangEmb,
    lang2id: Object.fromEntries(numbered.map(({ code, number }) => [code, number])),
    id2lang: Object.fromEntries(numbered.map(({ code, number }) => [number, code])),
    lang_id: 0,
    max_position_embeddings: model.maxPositionEmbeddings,
    embed_init_std: model.embedInitStd,
    layer_norm_eps: 1e-12,
    // A sentence begins with the token that ends it.
    bos_token_id: end,
    eos_token_id: end,
    pad_token_id: pad,
    unk_index: unk ?? end,
    mask_index: mask,
    mask_token_id: mask,
    is_encoder: true,
    tie_word_embeddings: true,
    dtype: 'float32',
  };
}

async function fromDirectory(
  directory: string,
  codes: readonly string[],
  tokenizer: Tokenizer,
  files: ModelFiles,
  length: number,
): Promise<PretrainedXlm> {
  const { architecture, config, weights } = await readModelDirectory(directory);
  const hasHead = weights.get(`${stackScope}.embeddings.weight`) && weights.get('pred_layer.proj.bias');
  if (architecture !== xlm || !hasHead) {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `init: ${directory} is ${architecture === xlm ? 'an xlm model without the head of a language model' : `a ${architecture.modelType} model`}; ` +
        'XLM pre-training goes on from xlm models with their head.',
    );
  }
  const path = `${directory}/config.json`;
  const model = readXlmConfig(config, path);
  if (tokenizer.vocabSize > model.vocabSize) {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `init: the tokenizer of ${directory} has ${tokenizer.vocabSize} tokens and the model ${model.vocabSize}: give the directory the tokenizer it was trained with.`,
    );
  }
  const languages = languagesOfConfig(config, codes);
  const unknown = codes.find((code) => !languages.has(code));
  if (unknown !== undefined) {
    throw new PolybeamError(
      'LANGUAGE_UNKNOWN',
      `${directory} has no language ${unknown}; it has ${[...languages.keys()].join(', ') || 'none (lang2id)'}: correct the code, or train a new model.`,
    );
  }
  return made(model, languages, {
    ...files,
    'config.json': configText(withRowLength(configFor('float32', config), length)),
  });
}

/** Languages that a config.json numbers; of a model without embeddings of languages, any one. */
export function languagesOfConfig(
  config: RawConfig,
  codes: readonly string[],
): ReadonlyMap<string, Language> {
  const numbers = Object.entries((config.lang2id ?? {}) as Record<string, number>);
  if (numbers.length === 0 && codes.length === 1) return new Map([[codes[0], { code: codes[0], number: 0 }]]);
  return new Map(numbers.map(([code, number]) => [code, { code, number }]));
}
