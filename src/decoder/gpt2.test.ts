import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import '../node/install.js';
import { compile } from '../engine/compile.js';
import type { Parameters } from '../engine/parameters.js';
import type { Device, Signature, Tensors } from '../engine/program.js';
import { floats, integers, type Value } from '../engine/values.js';
import { openWeights } from '../pretrained/openWeights.js';
import { decodeGpt2, type Gpt2Config, gpt2Logits } from './gpt2.js';

const directory = 'test/fixtures/models/gpt2';

const config: Gpt2Config = {
  vocabSize: 64,
  nPositions: 40,
  nEmbd: 16,
  nLayer: 2,
  nHead: 4,
  nInner: 40,
  activationFunction: 'gelu_new',
  layerNormEpsilon: 1e-5,
  residPdrop: 0.1,
  embdPdrop: 0.1,
  attnPdrop: 0.1,
  initializerRange: 0.02,
  tieWordEmbeddings: true,
  prefix: 'transformer.',
};

const names = ['key.0', 'value.0', 'key.1', 'value.1'];
const cache = { type: 'float32', shape: ['rows', 4, 'capacity', 4] } as const;
const signature: Signature = {
  tokens: { type: 'int32', shape: ['rows', 1] },
  position: { type: 'int32', shape: [1] },
  ancestry: { type: 'int32', shape: ['rows', 1, 'capacity'] },
  ...Object.fromEntries(names.map((name) => [name, cache])),
};

/** Reads one token of every row, over a cache. */
function step(inputs: Tensors, p: Parameters): Tensors {
  const { hidden, caches } = decodeGpt2(p, config, {
    inputIds: inputs.tokens,
    positions: inputs.position,
    self: {
      kind: 'cached',
      caches: [0, 1].map((layer) => ({ key: inputs[`key.${layer}`], value: inputs[`value.${layer}`] })),
      position: { position: inputs.position, ancestry: inputs.ancestry },
    },
  });
  const outputs: Tensors = { logits: gpt2Logits(p, config, hidden) };
  caches.forEach(({ key, value }, layer) => {
    outputs[`next.key.${layer}`] = key;
    outputs[`next.value.${layer}`] = value;
  });
  return outputs;
}

test.each(['cpu', 'tfjs:cpu'] as Device[])(
  'token by token over a cache, the logits are those of transformers: %s',
  async (device) => {
    const expected = JSON.parse(readFileSync(`${directory}/expected.json`, 'utf8'));
    const { input_ids: ids, attention_mask: mask } = expected.inputs as Record<string, number[][]>;
    const program = await compile(step, signature, { device, weights: await openWeights(directory) });
    const [rows, capacity] = [ids.length, 12];
    const caches: Record<string, Value> = Object.fromEntries(
      names.map((name) => [name, floats([rows, 4, capacity, 4])]),
    );
    const into = Object.fromEntries(names.map((name) => [`next.${name}`, caches[name]]));
    for (let position = 0; position < ids[0].length; position++) {
      const { logits } = await program.run(
        {
          tokens: integers(
            [rows, 1],
            Int32Array.from(ids, (row) => row[position]),
          ),
          position: integers([1], Int32Array.of(position)),
          ancestry: integers([rows, 1, capacity]),
          ...caches,
        },
        into,
      );
      ids.forEach((_, row) => {
        if (mask[row][position] === 0) return;
        const wanted: number[] = expected.forward.logits[row][position];
        const found = (logits.data as Float32Array).subarray(row * 64, row * 64 + 64);
        const differences = wanted.map((value, token) => Math.abs(value - found[token]));
        expect(Math.max(...differences)).toBeLessThan(1e-4);
      });
    }
    await program.dispose();
  },
);
