import * as tf from '@tensorflow/tfjs-core';
import type { AttentionSpec } from '../generation/stepModel.js';
import type { AttentionObserver } from '../nn/attention.js';

/** Extracts one layer's attention over the source from a decoder's computation. */
export interface AttentionProbe {
  /** For `DecoderInputs.observe`; undefined if no attention is requested, so that none is computed. */
  observe?: AttentionObserver;
  /** The extracted attention, averaged over heads: [batch, rows, source], where rows are those of one sentence. */
  weights(): tf.Tensor | undefined;
}

/** A probe for `spec` in a decoder of `layers` layers. */
export function createAttentionProbe(spec: AttentionSpec | undefined, layers: number): AttentionProbe {
  if (!spec) return { weights: () => undefined };
  const wanted = spec.layer ?? layers - 1;
  let found: tf.Tensor | undefined;
  return {
    observe: (layer, weights) => {
      if (layer === wanted) found = averageHeads(weights(), spec.heads);
    },
    weights: () => found,
  };
}

/** [batch, heads, rows, source] -> [batch, rows, source] */
function averageHeads(weights: tf.Tensor, heads: readonly number[] | undefined): tf.Tensor {
  if (!heads) return tf.mean(weights, 1);
  const [batch, , rows, source] = weights.shape as [number, number, number, number];
  const chosen = heads.map((head) => tf.slice(weights, [0, head, 0, 0], [batch, 1, rows, source]));
  return tf.mean(chosen.length === 1 ? chosen[0] : tf.concat(chosen, 1), 1);
}
