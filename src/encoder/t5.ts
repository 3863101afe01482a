import * as tf from '@tensorflow/tfjs-core';
import { type DropoutSource, dropout } from '../engine/ops/dropout.js';
import { rangeTo } from '../engine/ops/sizes.js';
import type { Initializer, Parameters } from '../engine/parameters.js';
import { type ActivationName, activations } from '../nn/activation.js';
import { type AttentionShape, selfAttention } from '../nn/attention.js';
import { dense } from '../nn/dense.js';
import { scaleNorm } from '../nn/norm.js';
import { relativeBias } from '../nn/relativePositions.js';

/** T5 (Raffel et al. 2020), T5 1.1 and FLAN-T5 (Chung et al. 2022), mT5 (Xue et al. 2021). */
export interface T5Config {
  vocabSize: number;
  dModel: number;
  /** Features of one head; heads need not add up to dModel. */
  dKv: number;
  dFf: number;
  numLayers: number;
  numDecoderLayers: number;
  numHeads: number;
  /** Rows of the table of position biases. */
  relativeAttentionNumBuckets: number;
  relativeAttentionMaxDistance: number;
  denseActFn: ActivationName;
  /** The feed-forward layer is a product of an activated and a linear projection (Shazeer 2020). */
  isGatedAct: boolean;
  /** Hidden states are multiplied by dModel^-0.5 before the output projection. */
  scaleDecoderOutputs: boolean;
  layerNormEpsilon: number;
  dropoutRate: number;
  /** Factor of the standard deviations of new weights. */
  initializerFactor: number;
}

/** Initialization of weights: the smaller, the more inputs they sum over (Mesh TensorFlow). */
export function t5Initializer(config: T5Config, inputs: number): Initializer {
  return { kind: 'normal', standardDeviation: config.initializerFactor * inputs ** -0.5 };
}

/** The embeddings of both sides, or what a checkpoint holds for one of them alone. [vocabSize, dModel] */
export function t5Table(p: Parameters, config: T5Config, side?: 'encoder' | 'decoder'): tf.Tensor {
  const own = `${side}.embed_tokens.weight`;
  return p.get(
    side && p.has(own) ? own : 'shared.weight',
    [config.vocabSize, config.dModel],
    t5Initializer(config, 1),
  );
}

/** Attention without bias and without scale: queries start smaller instead. */
export function t5AttentionShape(config: T5Config, source: DropoutSource | undefined): AttentionShape {
  return {
    heads: config.numHeads,
    features: config.numHeads * config.dKv,
    names: { query: 'q', key: 'k', value: 'v' },
    projectionBias: false,
    scale: 1,
    initializer: t5Initializer(config, config.dModel),
    queryInitializer: t5Initializer(config, config.dModel * config.dKv),
    dropout: { rate: config.dropoutRate, source },
  };
}

/** The context of all heads, back to dModel. */
export function t5AttentionOutput(p: Parameters, config: T5Config, context: tf.Tensor): tf.Tensor {
  const initializer = t5Initializer(config, config.numHeads * config.dKv);
  return dense(p.scope('o'), context, config.dModel, { bias: false, initializer });
}

/**
 * The position bias of one side, which its layers share; the first one holds the table.
 * @param queries int32 [target], positions
 * @param keys int32 [source], positions
 * @returns [1, heads, target, source]
 */
export function t5Bias(
  p: Parameters,
  config: T5Config,
  side: 'encoder' | 'decoder',
  queries: tf.Tensor,
  keys: tf.Tensor,
): tf.Tensor {
  const { relativeAttentionNumBuckets: buckets, relativeAttentionMaxDistance: maxDistance } = config;
  const at = p.scope(`${side}.block.0.layer.0.SelfAttention.relative_attention_bias`);
  const table = at.get('weight', [buckets, config.numHeads], t5Initializer(config, config.dModel));
  return relativeBias(table, { buckets, maxDistance, bidirectional: side === 'encoder' }, queries, keys);
}

/** x + dropout(subLayer(norm(x))). `p` is the scope of the sub-layer with its norm. */
export function t5Residual(
  p: Parameters,
  config: T5Config,
  x: tf.Tensor,
  source: DropoutSource | undefined,
  subLayer: (x: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  const normal = scaleNorm(p.scope('layer_norm'), x, config.layerNormEpsilon);
  return tf.add(x, dropout(subLayer(normal), config.dropoutRate, source));
}

/** wo(activation(wi(x))), or with a gate wo(activation(wi_0(x)) * wi_1(x)). `p` is the scope of `DenseReluDense`. */
export function t5FeedForward(
  p: Parameters,
  config: T5Config,
  x: tf.Tensor,
  source: DropoutSource | undefined,
): tf.Tensor {
  const { dModel, dFf, dropoutRate, isGatedAct } = config;
  const activation = activations[config.denseActFn];
  const widen = (name: string) =>
    dense(p.scope(name), x, dFf, { bias: false, initializer: t5Initializer(config, dModel) });
  const inner = isGatedAct ? tf.mul(activation(widen('wi_0')), widen('wi_1')) : activation(widen('wi'));
  const initializer = t5Initializer(config, dFf);
  return dense(p.scope('wo'), dropout(inner, dropoutRate, source), dModel, { bias: false, initializer });
}

/** The last normalization of each side. */
export function t5Finish(
  p: Parameters,
  config: T5Config,
  side: 'encoder' | 'decoder',
  x: tf.Tensor,
  source: DropoutSource | undefined,
): tf.Tensor {
  const normal = scaleNorm(p.scope(`${side}.final_layer_norm`), x, config.layerNormEpsilon);
  return dropout(normal, config.dropoutRate, source);
}

/**
 * The encoder.
 * @param inputIds int32 [batch, source]
 * @param attentionMask int32 [batch, source]
 * @returns memory [batch, source, dModel]
 */
export function encodeT5(
  p: Parameters,
  config: T5Config,
  inputIds: tf.Tensor,
  attentionMask: tf.Tensor,
  source?: DropoutSource,
): tf.Tensor {
  const shape = t5AttentionShape(config, source);
  const positions = rangeTo(inputIds.shape[1]!);
  const visibility = { keyMask: attentionMask, bias: t5Bias(p, config, 'encoder', positions, positions) };
  const embedded = tf.gather(t5Table(p, config, 'encoder'), inputIds as tf.Tensor1D);
  let x = dropout(embedded as tf.Tensor, config.dropoutRate, source);
  for (let layer = 0; layer < config.numLayers; layer++) {
    const at = p.scope(`encoder.block.${layer}`);
    x = t5Residual(at.scope('layer.0'), config, x, source, (input) => {
      const own = at.scope('layer.0.SelfAttention');
      const { context } = selfAttention(own, input, shape, { kind: 'sequence', visibility });
      return t5AttentionOutput(own, config, context);
    });
    x = t5Residual(at.scope('layer.1'), config, x, source, (input) =>
      t5FeedForward(at.scope('layer.1.DenseReluDense'), config, input, source),
    );
  }
  return t5Finish(p, config, 'encoder', x, source);
}
