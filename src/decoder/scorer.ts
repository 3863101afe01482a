import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../engine/compile.js';
import { crossEntropy } from '../engine/ops/crossEntropy.js';
import { rangeTo } from '../engine/ops/sizes.js';
import type { Parameters } from '../engine/parameters.js';
import type { CompileOptions, Program, Signature, Tensors } from '../engine/program.js';
import { createPrograms } from '../engine/programs.js';
import { integers, type Value } from '../engine/values.js';
import type { AttentionSpec } from '../generation/stepModel.js';
import { createAttentionProbe } from './alignment.js';
import { type Decoder, type OwnInputs, readsSource } from './encoderDecoder.js';

/** A source, and an output to score. */
export interface ScoredPair {
  /** Not used by a language model. */
  inputIds: readonly number[];
  /** 1 for a token of the source, 0 for padding; default all 1. */
  attentionMask?: readonly number[];
  /** Decoder input before the target, which is not scored: at least the start token, or a text that the target continues. */
  prompt: readonly number[];
  /** The tokens after the prompt. */
  target: readonly number[];
}

/** The score of a pair. */
export interface ScoredTarget {
  /** Natural logarithm of each target token's probability. */
  logProbabilities: Float32Array;
  /** If requested, the attention over the source for each target token. [source] each */
  attention?: Float32Array[];
}

/** Scores given outputs: one pass over whole targets, no search. */
export interface Scorer {
  /** In the order of the pairs. @param attention which attention to return, for a model that has some; default none */
  score(pairs: readonly ScoredPair[], batchSize?: number, attention?: AttentionSpec): Promise<ScoredTarget[]>;
  /** Frees what was compiled. */
  release(): Promise<void>;
}

const sourceSignature: Signature = {
  inputIds: { type: 'int32', shape: ['batch', 'source'] },
  attentionMask: { type: 'int32', shape: ['batch', 'source'] },
};

const signature: Signature = {
  decoderInputIds: { type: 'int32', shape: ['batch', 'target'] },
  labelPositions: { type: 'int32', shape: ['tokens'] },
  labels: { type: 'int32', shape: ['tokens'] },
};

/** A scorer whose programs are compiled when they are first used. */
export function createScorer(model: Decoder, options: CompileOptions): Scorer {
  const programs = createPrograms();
  const programFor = (attention: AttentionSpec | undefined) => {
    const all = readsSource(model) ? { ...sourceSignature, ...signature } : signature;
    return programs.get(JSON.stringify(attention) ?? '', () =>
      compile((inputs, p) => scoreTokens(model, attention, inputs, p), all, options),
    );
  };
  return {
    score: async (pairs, batchSize = 16, attention) => {
      const compiled = await programFor(attention);
      const results: ScoredTarget[] = pairs.map(() => ({
        logProbabilities: new Float32Array(),
        ...(attention && { attention: [] }),
      }));
      for (const batch of batches(pairs, batchSize)) {
        const scored = await scoreBatch(
          compiled,
          batch.map((index) => pairs[index]),
          readsSource(model),
        );
        batch.forEach((index, row) => {
          results[index] = scored[row];
        });
      }
      return results;
    },
    release: programs.release,
  };
}

/** Outputs: `logProbabilities` [tokens], and `attention` [tokens, source] where it is wanted. */
function scoreTokens(
  model: Decoder,
  attention: AttentionSpec | undefined,
  inputs: Tensors,
  p: Parameters,
): Tensors {
  const probe = createAttentionProbe(attention, model.decoderLayers);
  const own: OwnInputs = {
    inputIds: inputs.decoderInputIds,
    positions: rangeTo(inputs.decoderInputIds.shape[1]!),
    self: { kind: 'sequence', visibility: { causal: true } },
  };
  const { hidden } = readsSource(model)
    ? model.decode(p, {
        ...own,
        memory: model.readMemory(p, model.encode(p, inputs.inputIds, inputs.attentionMask)),
        memoryMask: inputs.attentionMask,
        observe: probe.observe,
      })
    : model.decode(p, own);
  const atLabels = (values: tf.Tensor) =>
    tf.gather(tf.reshape(values, [-1, values.shape[2]!]), inputs.labelPositions as tf.Tensor1D);
  const { negativeLogLikelihood } = crossEntropy(model.logits(p, atLabels(hidden)), inputs.labels, 0);
  const weights = probe.weights();
  return {
    logProbabilities: tf.neg(negativeLogLikelihood),
    ...(weights && { attention: atLabels(weights) }),
  };
}

/** Indices of pairs, grouped by similar length. Pairs without a target are not scored. */
function batches(pairs: readonly ScoredPair[], batchSize: number): number[][] {
  const sorted = pairs
    .map((pair, index) => ({ index, source: pair.inputIds.length, target: pair.target.length }))
    .filter(({ target }) => target > 0)
    .sort((a, b) => b.source - a.source || b.target - a.target);
  const result: number[][] = [];
  for (let at = 0; at < sorted.length; at += batchSize) {
    result.push(sorted.slice(at, at + batchSize).map(({ index }) => index));
  }
  return result;
}

async function scoreBatch(
  program: Program,
  pairs: readonly ScoredPair[],
  withSource: boolean,
): Promise<ScoredTarget[]> {
  const batch = pairs.length;
  // The last token is predicted and never read.
  const target = Math.max(...pairs.map((pair) => pair.prompt.length + pair.target.length)) - 1;
  const decoderInputIds = new Int32Array(batch * target);
  const positions: number[] = [];
  pairs.forEach((pair, row) => {
    decoderInputIds.set([...pair.prompt, ...pair.target].slice(0, -1), row * target);
    pair.target.forEach((_, at) => {
      positions.push(row * target + pair.prompt.length - 1 + at);
    });
  });
  const labels = Int32Array.from(pairs.flatMap((pair) => [...pair.target]));
  const { logProbabilities, attention } = await program.run({
    ...(withSource && sourceFeeds(pairs)),
    decoderInputIds: integers([batch, target], decoderInputIds),
    labelPositions: integers([labels.length], Int32Array.from(positions)),
    labels: integers([labels.length], labels),
  });
  let next = 0;
  return pairs.map((pair) => {
    const from = next;
    next += pair.target.length;
    const rowOf = (token: number) => {
      const at = token * attention.shape[1];
      return (attention.data as Float32Array).slice(at, at + pair.inputIds.length);
    };
    return {
      logProbabilities: (logProbabilities.data as Float32Array).slice(from, next),
      ...(attention && { attention: pair.target.map((_, at) => rowOf(from + at)) }),
    };
  });
}

function sourceFeeds(pairs: readonly ScoredPair[]): Record<string, Value> {
  const source = Math.max(...pairs.map(({ inputIds }) => inputIds.length));
  const inputIds = new Int32Array(pairs.length * source);
  const attentionMask = new Int32Array(pairs.length * source);
  pairs.forEach((pair, row) => {
    inputIds.set(pair.inputIds, row * source);
    if (pair.attentionMask) attentionMask.set(pair.attentionMask, row * source);
    else attentionMask.fill(1, row * source, row * source + pair.inputIds.length);
  });
  return {
    inputIds: integers([pairs.length, source], inputIds),
    attentionMask: integers([pairs.length, source], attentionMask),
  };
}
