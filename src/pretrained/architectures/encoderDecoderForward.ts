import type { EncoderDecoder } from '../../decoder/encoderDecoder.js';
import { rangeTo } from '../../engine/ops/sizes.js';
import { encoderDecoderFineTuning } from '../../training/fineTuningTask.js';
import { type ForwardDefinition, type ModelDefinition, sourceSignature } from './definition.js';
import type { WeightLayout } from './weightLayout.js';

/** The definition of any encoder-decoder: logits of every given target position. */
export function defineEncoderDecoder(model: EncoderDecoder, layout: WeightLayout): ModelDefinition {
  const forward: ForwardDefinition = {
    signature: { ...sourceSignature, decoderInputIds: { type: 'int32', shape: ['batch', 'target'] } },
    run: (p, { inputIds, attentionMask, decoderInputIds }) => {
      const memory = model.encode(p, inputIds, attentionMask);
      const { hidden } = model.decode(p, {
        inputIds: decoderInputIds,
        positions: rangeTo(decoderInputIds.shape[1]!),
        memory: model.readMemory(p, memory),
        memoryMask: attentionMask,
        self: { kind: 'sequence', visibility: { causal: true } },
      });
      return { logits: model.logits(p, hidden) };
    },
  };
  const idCounts = { inputIds: model.sourceVocabSize, decoderInputIds: model.vocabSize };
  const fineTuning = encoderDecoderFineTuning(model);
  return { forward, decoder: model, maxSource: model.maxSource, idCounts, fineTuning, layout };
}
