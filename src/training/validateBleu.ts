import { corpusBleu } from '../../eval/index.js';
import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import { createStepModel } from '../decoder/stepModel.js';
import type { CompileOptions } from '../engine/program.js';
import type { WeightStore } from '../engine/weights.js';
import { generate } from '../generation/generate.js';
import { type DecodingRules, resolveGenerationOptions } from '../generation/options.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { TrainStep } from './trainStep.js';

/** Held-out sentences as validation reads them. */
export interface ValidationText {
  /** Token ids of the sources. */
  sources: readonly (readonly number[])[];
  /** Plain text. */
  references: readonly string[];
}

export interface BleuValidation {
  model: EncoderDecoder;
  tokenizer: Tokenizer;
  rules: DecodingRules;
  text: ValidationText;
  numBeams: number;
  /** Compare in lower case. */
  lowercase: boolean;
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

/**
 * Translates held-out sentences with the step's present weights, through the decoding core, and scores them.
 * @returns sacreBLEU's corpus BLEU; undefined where `signal` was aborted on the way
 */
export async function validateBleu(
  step: TrainStep,
  validation: BleuValidation,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const { model, tokenizer, rules, text, numBeams, lowercase } = validation;
  const decoder = createStepModel(model, { ...validation.compile, weights: liveWeights(step) });
  try {
    const longest = Math.max(...text.sources.map((source) => source.length));
    // An untrained model does not stop by itself: a bound keeps early validations short.
    const maxNewTokens = Math.min(model.maxTarget - 1, Math.ceil(longest * 1.5) + 10);
    const options = resolveGenerationOptions({ numBeams, maxNewTokens });
    const hypotheses: string[] = [];
    const portion = 64;
    const order = text.sources
      .map((_, index) => index)
      .sort((a, b) => text.sources[b].length - text.sources[a].length);
    for (let at = 0; at < order.length; at += portion) {
      if (signal?.aborted) return undefined;
      const indices = order.slice(at, at + portion);
      const inputs = indices.map((index) => ({ inputIds: text.sources[index] }));
      const results = await generate(decoder, inputs, options, rules, { batchSize: portion });
      const texts = await tokenizer.decodeBatch(results.map((result) => result.sequences[0].ids));
      indices.forEach((index, i) => {
        hypotheses[index] = texts[i];
      });
    }
    return corpusBleu(hypotheses, [text.references], { lowercase }).score;
  } finally {
    await decoder.release();
  }
}
