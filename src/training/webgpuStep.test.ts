import { describe, expect, it } from 'vitest';
import { webgpuUnavailable } from '../../test/support/engine/webgpu.js';
import '../node/install.js';
import { transformer } from '../decoder/transformer.js';
import type { TransformerConfig } from '../encoder/transformer.js';
import type { Device } from '../engine/program.js';
import { initialWeights } from './initialize.js';
import { collatePairs, sequenceToSequence } from './sequenceToSequence.js';
import { compileTrainStep, trainableParameters } from './step.js';

const reason = await webgpuUnavailable();
if (reason !== undefined) process.stderr.write(`Training on webgpu is not tested: ${reason}\n`);

/** More masks than the names of their nodes would fit into an option of the provider. */
const config: TransformerConfig = {
  vocabSize: 13,
  decoderVocabSize: 13,
  dModel: 8,
  encoderLayers: 2,
  encoderAttentionHeads: 2,
  encoderFfnDim: 16,
  decoderLayers: 2,
  decoderAttentionHeads: 2,
  decoderFfnDim: 16,
  maxPositionEmbeddings: 16,
  activationFunction: 'swish',
  scaleEmbedding: true,
  shareEncoderDecoderEmbeddings: true,
  tieWordEmbeddings: true,
  dropout: 0.3,
  attentionDropout: 0.3,
  activationDropout: 0.3,
  initStd: 0.3,
};

const batch = collatePairs(
  {
    pairs: [
      { source: [3, 4, 5, 1], target: [6, 7, 1] },
      { source: [8, 9, 1], target: [10, 11, 12, 4, 1] },
    ],
    sourceLength: 4,
    targetLength: 5,
  },
  { padTokenId: 0, decoderStartTokenId: 0 },
);

/** Losses of the first two updates. */
async function lossesOn(device: Device, sizes = config): Promise<number[]> {
  const objective = sequenceToSequence(transformer(sizes), 0.1);
  const optimizer = { adamBeta1: 0.9, adamBeta2: 0.98, adamEpsilon: 1e-9, weightDecay: 0.01, clipNorm: 1 };
  const initial = initialWeights(trainableParameters(objective), 5);
  const step = await compileTrainStep(objective, initial, { device, optimizer });
  const losses: number[] = [];
  for (let update = 1; update <= 2; update++) {
    const options = { seed: 7, update, micro: 0, learningRate: 0.01, accumulatedTokens: 0 };
    losses.push((await step.update(batch, options)).loss);
  }
  step.dispose();
  return losses;
}

describe.skipIf(reason !== undefined)(`a training step on webgpu${reason ? `: ${reason}` : ''}`, () => {
  it('drops what the CPU drops, in as many places as there are', async () => {
    const wanted = await lossesOn('cpu');
    const found = await lossesOn('webgpu');
    found.forEach((loss, at) => {
      expect(Math.abs(loss - wanted[at])).toBeLessThan(2e-3 * Math.abs(wanted[at]));
    });
    const without = await lossesOn('cpu', {
      ...config,
      dropout: 0,
      attentionDropout: 0,
      activationDropout: 0,
    });
    expect(Math.abs(without[0] - wanted[0])).toBeGreaterThan(0.01 * Math.abs(wanted[0]));
  }, 300_000);
});
