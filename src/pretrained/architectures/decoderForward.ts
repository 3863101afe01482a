import type { Decoder } from '../../decoder/encoderDecoder.js';
import { rangeTo } from '../../engine/ops/sizes.js';
import { type ForwardDefinition, type ModelDefinition, sourceSignature } from './definition.js';

/** The definition of any decoder alone: logits of what follows each of the given tokens. */
export function defineDecoder(model: Decoder): ModelDefinition {
  const forward: ForwardDefinition = {
    signature: sourceSignature,
    run: (p, { inputIds, attentionMask }) => {
      const { hidden } = model.decode(p, {
        inputIds,
        positions: rangeTo(inputIds.shape[1]!),
        self: { kind: 'sequence', visibility: { causal: true, keyMask: attentionMask } },
      });
      return { logits: model.logits(p, hidden) };
    },
  };
  return { forward, decoder: model, maxSource: model.maxTarget, idCounts: { inputIds: model.vocabSize } };
}
