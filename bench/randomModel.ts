import '../src/node.js';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformer } from '../src/decoder/transformer.js';
import type { TransformerConfig } from '../src/encoder/transformer.js';
import type { ParameterSpec } from '../src/engine/parameters.js';
import type { WeightStore } from '../src/engine/weights.js';
import { openWeights } from '../src/pretrained/openWeights.js';
import { writeSafetensors } from '../src/pretrained/safetensors.js';
import { initialWeights } from '../src/training/initialize.js';
import { marianModelFiles } from '../src/training/marianModel.js';
import { sequenceToSequence } from '../src/training/sequenceToSequence.js';
import { trainableParameters } from '../src/training/step.js';

/** Seed of every random weight and token of the benches. */
export const benchSeed = 20;

/** The last id, as in Marian's checkpoints: padding, and what decoders start with. */
export function padTokenOf(config: TransformerConfig): number {
  return config.decoderVocabSize - 1;
}

/** Every weight of the architecture, by its checkpoint name. */
export function transformerWeights(config: TransformerConfig): ParameterSpec[] {
  return trainableParameters(sequenceToSequence(transformer(config), 0));
}

/**
 * Writes a model directory with random weights, one tensor in memory at a time. The embedding of padding is zero:
 * CTranslate2 starts decoders from a zero embedding, whatever the checkpoint holds.
 *
 * @returns its weights, which stay in their file
 */
export async function writeRandomModel(
  directory: string,
  config: TransformerConfig,
  specs: readonly ParameterSpec[],
): Promise<WeightStore> {
  const padTokenId = padTokenOf(config);
  // No end token: every sequence runs to the forced length.
  const files = marianModelFiles(
    config,
    { vocabSize: config.vocabSize, padTokenId, eosTokenId: padTokenId },
    { eos_token_id: null },
  );
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const tensors = specs.map((spec) => {
    const data = () => new Uint8Array(randomWeight(spec, config).buffer);
    return { name: spec.name, format: 'F32', shape: spec.shape, data } as const;
  });
  await writeSafetensors(modelFile(directory), tensors);
  return openWeights(directory);
}

/** Where a model directory keeps its weights. */
export function modelFile(directory: string): string {
  return `${directory}/model.safetensors`;
}

function randomWeight(spec: ParameterSpec, config: TransformerConfig): Float32Array {
  const data = initialWeights([spec], benchSeed).get(spec.name)!;
  const isTable = spec.name === 'model.shared.weight' || spec.name.endsWith('.embed_tokens.weight');
  if (isTable) data.fill(0, padTokenOf(config) * config.dModel);
  // An array of odd length may be a part of a longer buffer.
  return data.byteLength === data.buffer.byteLength ? data : data.slice();
}
