import { createFakeModel, hashAttention, hashLogits } from '../../test/support/generation/fakeModel.js';
import { stepModelContract } from './stepModel.contract.js';

stepModelContract('the fake model of the search tests', async () => ({
  model: createFakeModel(
    20,
    hashLogits({ vocabSize: 20, eosTokenIds: [1], endBias: 0, seed: 3 }),
    undefined,
    hashAttention,
  ),
  sources: [[4, 5, 6], [7, 8, 9, 10, 11], [12]],
  padTokenId: 0,
  decoderStartTokenId: 0,
}));
