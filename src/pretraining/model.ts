import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import { readsSource } from '../decoder/encoderDecoder.js';
import type { PrefixParts } from '../decoder/prefixLm.js';
import { transformer } from '../decoder/transformer.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { architectureOf } from '../pretrained/architectures/index.js';
import { requireInside } from '../pretrained/insideDirectory.js';
import { readGeneration } from '../pretrained/loadModel.js';
import { readModelDirectory } from '../pretrained/modelDirectory.js';
import { configFor, configText } from '../pretrained/saveModel.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { marianModel, marianModelFiles } from '../training/marianModel.js';
import { type ModelFiles, tokenizerDirectory, tokenizerFiles, translationIds } from '../training/runParts.js';
import type { PretrainConfig } from './config.js';
import { type StackModelConfig, stackConfig } from './stackModel.js';

/** A model that is pre-trained, and what makes a directory of its weights a model directory. */
export interface PretrainedModel {
  model: EncoderDecoder;
  /** The token that begins what the decoder reads. */
  decoderStartTokenId: number;
  /** Where one stack of layers both reads and writes. */
  prefix?: PrefixParts;
  files: ModelFiles;
}

/**
 * The model that a configuration asks for: a new one, or that of the directory `init`.
 * @throws TOKENIZER_INVALID; CONFIG_INVALID where the directory holds no encoder-decoder; what reading it throws
 */
export async function pretrainedModel(
  config: PretrainConfig,
  tokenizer: Tokenizer,
): Promise<PretrainedModel> {
  if (config.init !== undefined) return fromDirectory(config.init, tokenizer);
  const { type } = config.model!;
  if (type !== 'marian') return newStack({ ...config.model!, type }, config, tokenizer);
  const ids = translationIds(tokenizer);
  const architecture = marianModel({ ...config.model!, type }, tokenizer.vocabSize);
  const directory = tokenizerDirectory(config.vocabulary, config.output);
  return {
    model: transformer(architecture),
    decoderStartTokenId: ids.decoderStartTokenId,
    files: { ...marianModelFiles(architecture, ids), ...(await tokenizerFiles(directory)) },
  };
}

/** A stack of layers that reads and writes, as its config.json describes it. */
async function newStack(
  model: StackModelConfig,
  config: PretrainConfig,
  tokenizer: Tokenizer,
): Promise<PretrainedModel> {
  const files = await tokenizerFiles(tokenizerDirectory(config.vocabulary, config.output));
  const raw = stackConfig(model, tokenizer);
  const definition = architectureOf(raw, 'model').define(
    raw,
    { get: () => undefined },
    'model',
    tokenizer.specialIds,
  );
  const { decoder, generation, prefix } = definition;
  const decoderStartTokenId = generation?.decoder_start_token_id as number | undefined;
  if (!decoder || !readsSource(decoder) || decoderStartTokenId === undefined) {
    throw new PolybeamError(
      'TOKENIZER_INVALID',
      'The tokenizer has no [SEP] or </s>; a model that reads and writes in one stack ends its texts with one.',
    );
  }
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  files['config.json'] = json(raw);
  files['generation_config.json'] = json({ ...generation, max_length: decoder.maxTarget });
  return { model: decoder, decoderStartTokenId, prefix, files };
}

async function fromDirectory(directory: string, tokenizer: Tokenizer): Promise<PretrainedModel> {
  const found = await readModelDirectory(directory);
  const path = `${directory}/config.json`;
  const definition = found.architecture.define(found.config, found.weights, path, tokenizer.specialIds);
  const { decoder } = definition;
  if (!decoder || !readsSource(decoder)) {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `${directory} is a ${found.architecture.modelType} model; pre-training goes on from models with an encoder and a decoder.`,
    );
  }
  const { decoderStartTokenId } = readGeneration(directory, found, definition).rules;
  if (decoderStartTokenId === undefined) {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `${directory}/generation_config.json has no decoder_start_token_id: add the id of the token that begins an output.`,
    );
  }
  const files: ModelFiles = await tokenizerFiles(directory);
  // Trained weights are numbers of another format than those that were stored.
  files['config.json'] = configText(configFor('float32', found.config));
  const generation = `${directory}/generation_config.json`;
  await requireInside(directory, 'generation_config.json');
  if ((await fileAccess().size(generation)) !== undefined)
    files['generation_config.json'] = await fileAccess().read(generation);
  return { model: decoder, decoderStartTokenId, prefix: definition.prefix, files };
}
