import { describe, expect, test } from 'vitest';
import '../../node/install.js';
import { readModelDirectory } from '../modelDirectory.js';
import { frozenPrefixes, isFrozen, layerFactor, type WeightLayout } from './weightLayout.js';

const layout: WeightLayout = {
  embeddings: ['shared.', 'encoder.embed_'],
  stacks: [
    { prefix: 'encoder.layers.', layers: 3 },
    { prefix: 'decoder.layers.', layers: 12 },
  ],
  encoder: ['encoder.'],
  constants: ['final_logits_bias'],
};

describe('layerFactor', () => {
  test.each([
    ['decoder.layers.11.fc1.weight', 1],
    ['decoder.layers.10.fc1.weight', 0.95],
    ['decoder.layers.1.fc1.weight', 0.95 ** 10],
    ['encoder.layers.2.fc1.weight', 1],
    ['encoder.layers.0.fc1.weight', 0.95 ** 2],
    ['encoder.embed_positions.weight', 0.95 ** 12],
    ['shared.weight', 0.95 ** 12],
    ['encoder.layers_norm.weight', 1],
    ['lm_head.weight', 1],
  ])('of %s is %f', (name, factor) => {
    expect(layerFactor(layout, 0.95, name)).toBeCloseTo(factor, 12);
  });

  // Heads, and norms after the last layer.
  const above =
    /^(lm_head|cls|enc_to_dec_proj|decoder\.(cls|lm_head))\.|(layer_norm|final_layer_norm)\.(weight|bias)$/;

  test.each([
    'bart',
    'encoder-decoder',
    'encoder-decoder-bert-generation',
    'encoder-decoder-projected',
    'marian',
    'marian-untied',
    'mbart',
    'm2m100',
    'pegasus',
    't5',
    't5-gated',
    'unilm',
    'simbert',
    'roformer-sim',
  ])('knows where every weight of %s stands', async (name) => {
    const { config, architecture, weights } = await readModelDirectory(`test/fixtures/models/${name}`);
    const { layout: own, fineTuning } = architecture.define(config, weights, 'config.json', {});
    expect(fineTuning).toBeDefined();
    const depths = new Set<number>();
    for (const weight of weights.names()) {
      const factor = layerFactor(own!, 0.5, weight);
      depths.add(Math.log2(factor));
      if (factor === 1 && !own!.stacks.some(({ prefix }) => weight.startsWith(prefix)))
        expect(isFrozen(own!, [], weight) || above.test(weight) || weight.includes('pooler'), weight).toBe(
          true,
        );
    }
    const deepest = Math.max(...own!.stacks.map(({ layers }) => layers));
    expect([...depths].sort((a, b) => b - a)).toEqual(Array.from({ length: deepest + 1 }, (_, i) => 0 - i));
  });
});

describe('isFrozen', () => {
  test.each([
    [['embeddings'], ['shared.weight', 'encoder.embed_positions.weight', 'final_logits_bias']],
    [['encoder'], ['encoder.embed_positions.weight', 'encoder.layers.0.fc1.weight', 'final_logits_bias']],
    [['decoder.layers.1.'], ['decoder.layers.1.fc1.weight', 'final_logits_bias']],
    [[], ['final_logits_bias']],
  ])('by %j takes %j', (freeze, expected) => {
    const names = [
      'shared.weight',
      'encoder.embed_positions.weight',
      'encoder.layers.0.fc1.weight',
      'decoder.layers.1.fc1.weight',
      'decoder.layers.10.fc1.weight',
      'final_logits_bias',
    ];
    expect(names.filter((name) => isFrozen(layout, freeze, name)).sort()).toEqual([...expected].sort());
  });

  test('names the prefixes an entry stands for', () => {
    expect(frozenPrefixes(layout, 'encoder')).toEqual(['encoder.']);
    expect(frozenPrefixes(layout, 'lm_')).toEqual(['lm_']);
  });
});
