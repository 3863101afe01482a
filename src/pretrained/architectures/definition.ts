import type { Decoder } from '../../decoder/encoderDecoder.js';
import type { PrefixParts } from '../../decoder/prefixLm.js';
import type { Parameters } from '../../engine/parameters.js';
import type { Signature, Tensors } from '../../engine/program.js';
import type { WeightStore } from '../../engine/weights.js';
import type { TokenRole } from '../../text/specialTokens.js';
import type { FineTuning } from '../../training/fineTuningTask.js';
import type { RawConfig } from '../config.js';
import type { WeightLayout } from './weightLayout.js';

/** One pass over given ids: what `polybeam forward` computes. */
export interface ForwardDefinition {
  /**
   * Inputs: `inputIds` and `attentionMask`; `tokenTypeIds`, `langs` (languages, -1 for none) and `decoderInputIds` where the
   * architecture reads them.
   */
  signature: Signature;
  /** Outputs: `logits`, or `lastHiddenState` and perhaps `poolerOutput` and `logits`. */
  run(p: Parameters, inputs: Tensors): Tensors;
}

/** A model type made concrete by a config.json: what loading needs, and all that the rest of polybeam knows of it. */
export interface ModelDefinition {
  forward: ForwardDefinition;
  /** Where the model can generate. */
  decoder?: Decoder;
  /** Positions the source can have. */
  maxSource: number;
  /** How many ids each input of `forward` knows: ids are 0 to one less. */
  idCounts: { inputIds: number; tokenTypeIds?: number; langs?: number; decoderInputIds?: number };
  /** Where the model writes from a source: how it learns to. */
  fineTuning?: FineTuning;
  /** Where one stack of layers both reads and writes: how. */
  prefix?: PrefixParts;
  /** Goes with `fineTuning`. */
  layout?: WeightLayout;
  /** Keys of generation_config.json that hold where the directory does not set them. */
  generation?: RawConfig;
}

/** Ids of the special tokens of a model's tokenizer, where it has one. */
export type SpecialIds = Readonly<Partial<Record<TokenRole, number>>>;

/** A model type. */
export interface Architecture {
  /** `model_type` in config.json. */
  modelType: string;
  /**
   * @param weights tells which optional parts a checkpoint has
   * @param path of config.json, for errors
   * @param ids for what config.json does not say of special tokens
   * @throws CONFIG_INVALID
   */
  define(raw: RawConfig, weights: Pick<WeightStore, 'get'>, path: string, ids: SpecialIds): ModelDefinition;
  /**
   * Weights that some checkpoints repeat under a second name (tied embeddings), by that name; transformers saves them
   * under the first name only. Absent where an architecture ties nothing.
   */
  repeated?(raw: RawConfig): Readonly<Record<string, string>>;
  /**
   * Which tokens stand for languages, the code being what is captured, where a model is told languages by tokens: the
   * source's beside the source text, the target's at the beginning of the target.
   */
  languageToken?: RegExp;
  /**
   * Where a model is told both languages before the source, by tokens for the target's and the source's and then the end token:
   * the ids of those tokens by code. Every source of such a model begins with two of them.
   */
  languagesBefore?(raw: RawConfig, path: string): ReadonlyMap<string, number>;
  /** Names of weights that are computed, not learned, and so not saved; transformers saves none of them either. */
  computed?: readonly string[];
}

/** Ids and mask of one batch. */
export const sourceSignature: Signature = {
  inputIds: { type: 'int32', shape: ['batch', 'source'] },
  attentionMask: { type: 'int32', shape: ['batch', 'source'] },
};
