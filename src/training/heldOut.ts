import type { Decoder } from '../decoder/encoderDecoder.js';
import { createStepModel } from '../decoder/stepModel.js';
import type { CompileOptions } from '../engine/program.js';
import type { WeightStore } from '../engine/weights.js';
import { generate } from '../generation/generate.js';
import {
  type DecodingRules,
  type GenerationOptions,
  resolveGenerationOptions,
} from '../generation/options.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { TrainStep } from './trainStep.js';

/** How held-out texts are decoded. */
export interface HeldOutDecoding {
  decoder: Decoder;
  tokenizer: Tokenizer;
  rules: DecodingRules;
  options: GenerationOptions;
  compile: Pick<CompileOptions, 'device' | 'threads'>;
}

/** The weights a training step holds at the moment, as a checkpoint; nothing is copied. */
export function liveWeights(step: TrainStep): WeightStore {
  const prefix = 'weights/';
  const tensors = step.tensors();
  const names = [...tensors.keys()]
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
  return {
    names: () => names,
    get: (name) => {
      const tensor = tensors.get(prefix + name);
      if (!tensor) return undefined;
      const { buffer, byteOffset, byteLength } = tensor.data;
      return {
        format: 'F32',
        shape: tensor.shape,
        data: { kind: 'memory', data: new Uint8Array(buffer, byteOffset, byteLength) },
      };
    },
    read: async (name) => tensors.get(prefix + name)!.data,
  };
}

/** Sources decoded together. */
const portion = 64;

/**
 * Decodes held-out sources with the step's present weights, through the decoding core.
 * @param sources token ids
 * @returns a text for each; undefined where `signal` was aborted on the way
 */
export async function decodeHeldOut(
  step: TrainStep,
  sources: readonly (readonly number[])[],
  { decoder, tokenizer, rules, options, compile }: HeldOutDecoding,
  signal?: AbortSignal,
): Promise<string[] | undefined> {
  const model = createStepModel(decoder, { ...compile, weights: liveWeights(step) });
  try {
    const resolved = resolveGenerationOptions({ ...options });
    const hypotheses: string[] = [];
    const order = sources.map((_, index) => index).sort((a, b) => sources[b].length - sources[a].length);
    for (let at = 0; at < order.length; at += portion) {
      if (signal?.aborted) return undefined;
      const indices = order.slice(at, at + portion);
      const inputs = indices.map((index) => ({ inputIds: sources[index] }));
      const results = await generate(model, inputs, resolved, rules, { batchSize: portion });
      const texts = await tokenizer.decodeBatch(results.map((result) => result.sequences[0].ids));
      indices.forEach((index, i) => {
        hypotheses[index] = texts[i];
      });
    }
    return hypotheses;
  } finally {
    await model.release();
  }
}

/** An untrained model does not stop by itself: a bound that keeps early validations of translations short. */
export function translationBound(decoder: Decoder, sources: readonly (readonly number[])[]): number {
  const longest = Math.max(...sources.map((source) => source.length));
  return Math.min(decoder.maxTarget - 1, Math.ceil(longest * 1.5) + 10);
}
