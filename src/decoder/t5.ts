import * as tf from '@tensorflow/tfjs-core';
import {
  encodeT5,
  type T5Config,
  t5AttentionOutput,
  t5AttentionShape,
  t5Bias,
  t5FeedForward,
  t5Finish,
  t5Initializer,
  t5Residual,
  t5Table,
} from '../encoder/t5.js';
import { dropout } from '../engine/ops/dropout.js';
import { linear } from '../engine/ops/linear.js';
import { rangeTo } from '../engine/ops/sizes.js';
import type { Parameters } from '../engine/parameters.js';
import {
  crossAttention,
  type KeysAndValues,
  keysAndValues,
  type SelfAttentionMode,
  selfAttention,
} from '../nn/attention.js';
import type { DecoderInputs, EncoderDecoder, OutputProjection } from './encoderDecoder.js';

/** T5 as one model. Positions are relative, so neither side has a maximum length. */
export function t5(config: T5Config): EncoderDecoder {
  return {
    vocabSize: config.vocabSize,
    sourceVocabSize: config.vocabSize,
    decoderLayers: config.numDecoderLayers,
    decoderHeads: config.numHeads,
    headSize: config.dKv,
    maxSource: Number.POSITIVE_INFINITY,
    maxTarget: Number.POSITIVE_INFINITY,
    encode: (p, inputIds, attentionMask, source) => encodeT5(p, config, inputIds, attentionMask, source),
    readMemory: (p, memory) => readMemory(p, config, memory),
    decode: (p, inputs) => decode(p, config, inputs),
    output: (p) => ({ matrix: outputMatrix(p, config) }),
    logits: (p, hidden, output = { matrix: outputMatrix(p, config) }) => logits(config, hidden, output),
  };
}

function readMemory(p: Parameters, config: T5Config, memory: tf.Tensor): KeysAndValues[] {
  return Array.from({ length: config.numDecoderLayers }, (_, layer) =>
    keysAndValues(
      p.scope(`decoder.block.${layer}.layer.1.EncDecAttention`),
      memory,
      t5AttentionShape(config, undefined),
    ),
  );
}

function decode(p: Parameters, config: T5Config, inputs: DecoderInputs) {
  const { inputIds, memory, memoryMask, observe, dropout: source } = inputs;
  const shape = t5AttentionShape(config, source);
  const self = withBias(p, config, inputs);
  const caches: KeysAndValues[] = [];
  const embedded = tf.gather(t5Table(p, config, 'decoder'), inputIds as tf.Tensor1D);
  let x = dropout(embedded as tf.Tensor, config.dropoutRate, source);
  for (let layer = 0; layer < config.numDecoderLayers; layer++) {
    const at = p.scope(`decoder.block.${layer}`);
    x = t5Residual(at.scope('layer.0'), config, x, source, (input) => {
      const own = at.scope('layer.0.SelfAttention');
      const { context, cache } = selfAttention(own, input, shape, self, layer);
      if (cache) caches.push(cache);
      return t5AttentionOutput(own, config, context);
    });
    if (memory) {
      x = t5Residual(at.scope('layer.1'), config, x, source, (input) => {
        const cross = at.scope('layer.1.EncDecAttention');
        const context = crossAttention(cross, input, memory[layer], memoryMask!, shape, (weights) =>
          observe?.(layer, weights),
        );
        return t5AttentionOutput(cross, config, context);
      });
    }
    x = t5Residual(at.scope('layer.2'), config, x, source, (input) =>
      t5FeedForward(at.scope('layer.2.DenseReluDense'), config, input, source),
    );
  }
  return { hidden: t5Finish(p, config, 'decoder', x, source), caches };
}

/** Self-attention with the bias of its positions: those given, or the whole capacity of a cache. */
function withBias(p: Parameters, config: T5Config, { self, positions }: DecoderInputs): SelfAttentionMode {
  if (self.kind === 'sequence') {
    const bias = t5Bias(p, config, 'decoder', positions, positions);
    return { ...self, visibility: { ...self.visibility, bias } };
  }
  const capacity = rangeTo(self.caches[0].key.shape[2]!);
  if (self.kind === 'extended') {
    const reached = tf.concat([capacity, positions]);
    return { ...self, bias: tf.add(self.bias, t5Bias(p, config, 'decoder', positions, reached)) };
  }
  const bias = t5Bias(p, config, 'decoder', positions, capacity);
  // Each row has its own position; the key it writes now is at a later slot, and a later key has the bias of the same position.
  return { ...self, bias: self.visible ? tf.transpose(bias, [2, 1, 0, 3]) : bias };
}

/** The output projection is the embedding table if the checkpoint has no other. */
function outputMatrix(p: Parameters, config: T5Config): tf.Tensor {
  return p.has('lm_head.weight')
    ? p.get('lm_head.weight', [config.vocabSize, config.dModel], t5Initializer(config, 1))
    : t5Table(p, config);
}

function logits(
  { dModel, scaleDecoderOutputs }: T5Config,
  hidden: tf.Tensor,
  { matrix, bias }: OutputProjection,
): tf.Tensor {
  return linear(scaleDecoderOutputs ? tf.mul(hidden, dModel ** -0.5) : hidden, matrix, bias);
}
