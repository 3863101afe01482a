import { z } from 'zod';
import { type PrefixLmConfig, type PrefixStack, prefixLm } from '../../decoder/prefixLm.js';
import type { BertConfig } from '../../encoder/bert.js';
import { PolybeamError } from '../../errors.js';
import { unilmFineTuning } from '../../pretraining/unilmFineTuning.js';
import { encoderDecoderFineTuning } from '../../training/fineTuningTask.js';
import { type RawConfig, readConfig } from '../config.js';
import type { ForwardDefinition, ModelDefinition, SpecialIds } from './definition.js';
import type { WeightLayout } from './weightLayout.js';

const id = z.int().min(0);

/** `polybeam.prefix_lm` in config.json: that, and how, a stack of layers writes texts as well as reading them. */
const prefixLmSchema = z.strictObject({
  /** See `PrefixLmConfig.nextToken`. */
  next_token: z.enum(['mask', 'last']).optional(),
  mask_token_id: id.optional(),
  source_type_id: id.optional(),
  target_type_id: id.optional(),
  /** Positions kept for the text; default a quarter of all. */
  max_target_length: z.int().min(1).optional(),
});

const declarationSchema = z.looseObject({
  polybeam: z.looseObject({ prefix_lm: z.union([z.boolean(), prefixLmSchema]).optional() }).optional(),
});

/** What holds where config.json does not say otherwise. */
type Defaults = Pick<PrefixLmConfig, 'nextToken' | 'sourceTypeId' | 'targetTypeId'>;

/** How SimBERT and RoFormer-Sim write: segments 0 and 1, or none where the stack knows but one. */
export function similarityDefaults({ typeVocabSize }: BertConfig): Defaults {
  return { nextToken: 'last', sourceTypeId: 0, targetTypeId: typeVocabSize > 1 ? 1 : 0 };
}

/**
 * How a model directory writes texts as a prefix language model.
 * @param declared whether it does so without saying it; otherwise config.json has to have `polybeam.prefix_lm`
 * @returns undefined where it does not
 * @throws CONFIG_INVALID
 */
export function readPrefixLm(
  raw: RawConfig,
  stack: BertConfig,
  defaults: Defaults,
  ids: SpecialIds,
  path: string,
  declared = false,
): PrefixLmConfig | undefined {
  const given = readConfig(declarationSchema, raw, path).polybeam?.prefix_lm ?? declared;
  if (given === false) return undefined;
  const own = given === true ? {} : given;
  const config: PrefixLmConfig = {
    nextToken: own.next_token ?? defaults.nextToken,
    maskTokenId: own.mask_token_id ?? ids.mask,
    sourceTypeId: own.source_type_id ?? defaults.sourceTypeId,
    targetTypeId: own.target_type_id ?? defaults.targetTypeId,
    maxTarget: own.max_target_length ?? Math.max(1, Math.floor(stack.maxPositionEmbeddings / 4)),
  };
  const segments = Math.max(1, stack.typeVocabSize);
  for (const [key, value, size] of [
    ['source_type_id', config.sourceTypeId, segments],
    ['target_type_id', config.targetTypeId, segments],
    ['mask_token_id', config.maskTokenId ?? 0, stack.vocabSize],
    ['max_target_length', config.maxTarget, stack.maxPositionEmbeddings],
  ] as const) {
    if (value >= size) throw invalid(path, `${key} is ${value}`, `give a number below ${size}`);
  }
  if (config.nextToken === 'mask' && config.maskTokenId === undefined) {
    throw invalid(
      path,
      'mask_token_id is missing and there is no tokenizer with a mask token',
      'add it, or the tokenizer',
    );
  }
  return config;
}

function invalid(path: string, what: string, remedy: string): PolybeamError {
  return new PolybeamError('CONFIG_INVALID', `${path}: polybeam.prefix_lm: ${what}; ${remedy}.`);
}

/** What a definition says of its stack beyond what it computes. */
interface StackParts {
  forward: ForwardDefinition;
  typeVocabSize: number;
  layout: WeightLayout;
}

/** A definition whose stack writes, too. [SEP] (or what ends texts) ends a source and a text, so it is what decoding begins and ends with. */
export function definePrefixLm(
  raw: RawConfig,
  stack: PrefixStack,
  config: PrefixLmConfig,
  ids: SpecialIds,
  { forward, typeVocabSize, layout }: StackParts,
): ModelDefinition {
  const decoder = prefixLm(stack, config);
  const { vocabSize } = stack;
  const parts = { stack, config, typeVocabSize };
  const end = ids.sep ?? ids.eos;
  return {
    decoder,
    maxSource: decoder.maxSource,
    idCounts: { inputIds: vocabSize, tokenTypeIds: typeVocabSize, decoderInputIds: vocabSize },
    forward,
    prefix: parts,
    fineTuning: config.nextToken === 'mask' ? unilmFineTuning(parts) : encoderDecoderFineTuning(decoder),
    layout,
    generation: {
      pad_token_id: raw.pad_token_id ?? ids.pad ?? 0,
      ...(end !== undefined && { decoder_start_token_id: end, eos_token_id: end }),
    },
  };
}

/** Where the weights of a stack stand. @param scope of its `embeddings` and `encoder` */
export function stackLayout(scope: string, { numHiddenLayers: layers }: BertConfig): WeightLayout {
  return {
    embeddings: [`${scope}.embeddings`],
    stacks: [{ prefix: `${scope}.encoder.layer.`, layers }],
    encoder: [`${scope}.embeddings`, `${scope}.encoder.`],
  };
}
