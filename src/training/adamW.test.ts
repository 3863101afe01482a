import { expect, test } from 'vitest';
import '../node/install.js';
import type * as tf from '@tensorflow/tfjs-core';
import { compile } from '../engine/compile.js';
import { floats } from '../engine/values.js';
import { adamW, clipScale, globalNorm, updateScalars } from './adamW.js';

/*
 * Three updates of a matrix (weight decay 0.1) and a bias (none) by torch.optim.AdamW (PyTorch 2.15) with
 * clip_grad_norm_(1.0), lr 0.05, betas (0.9, 0.98), eps 1e-6.
 */
const gradients = [
  { w: [0.3, -0.2, 0.1, 4], b: [0.05, -1] },
  { w: [1e-4, 0, -2, 1], b: [0, 0.3] },
  { w: [0.5, 0.5, 0.5, -0.5], b: [-0.7, 0.2] },
];
const expected = [
  { norm: 4.14035, w: [0.447500676, -0.945001006, 1.940002084, 0.198750049], b: [0.050004136, -0.150000215] },
  {
    norm: 2.2561028,
    w: [0.411575973, -0.906612039, 1.966410398, 0.151641667],
    b: [0.016343109, -0.138576806],
  },
  { norm: 1.2369317, w: [0.373830378, -0.930460155, 1.968822598, 0.1289101], b: [0.047426999, -0.147175476] },
];

const config = { adamBeta1: 0.9, adamBeta2: 0.98, adamEpsilon: 1e-6, weightDecay: 0.1, clipNorm: 1 };

test('updates as torch.optim.AdamW with clip_grad_norm_', async () => {
  const shapes = { w: [2, 2], b: [2] } as const;
  const signature = Object.fromEntries(
    (['w', 'b'] as const).flatMap((name) =>
      ['', '.g', '.m', '.v'].map((part) => [name + part, { type: 'float32', shape: shapes[name] }] as const),
    ),
  );
  const scalar = { type: 'float32', shape: [] } as const;
  const program = await compile(
    (inputs) => {
      const norm = globalNorm([inputs['w.g'], inputs['b.g']]);
      const scale = clipScale(norm, config.clipNorm)!;
      const outputs: Record<string, tf.Tensor> = { norm };
      for (const name of ['w', 'b']) {
        const next = adamW(
          inputs[name],
          inputs[`${name}.g`],
          inputs[`${name}.m`],
          inputs[`${name}.v`],
          scale,
          inputs as never,
          config,
        );
        outputs[`${name}.next`] = next.weight;
        outputs[`${name}.m.next`] = next.m;
        outputs[`${name}.v.next`] = next.v;
      }
      return outputs;
    },
    { ...signature, stepSize: scalar, epsilon: scalar, decay: scalar },
  );
  const state = {
    w: floats([2, 2], Float32Array.of(0.5, -1, 2, 0.25)),
    b: floats([2], Float32Array.of(0.1, -0.2)),
    'w.m': floats([2, 2]),
    'w.v': floats([2, 2]),
    'b.m': floats([2]),
    'b.v': floats([2]),
  };
  for (const [index, { w, b }] of gradients.entries()) {
    const scalars = Object.entries(updateScalars(config, 0.05, index + 1)).map(
      ([name, value]) => [name, floats([], Float32Array.of(value))] as const,
    );
    const outputs = await program.run({
      ...state,
      'w.g': floats([2, 2], Float32Array.from(w)),
      'b.g': floats([2], Float32Array.from(b)),
      ...Object.fromEntries(scalars),
    });
    expect(outputs.norm.data[0]).toBeCloseTo(expected[index].norm, 4);
    for (const name of ['w', 'b'] as const) {
      expected[index][name].forEach((value, at) => {
        expect(outputs[`${name}.next`].data[at]).toBeCloseTo(value, 5);
      });
      state[name] = outputs[`${name}.next`];
      state[`${name}.m`] = outputs[`${name}.m.next`];
      state[`${name}.v`] = outputs[`${name}.v.next`];
    }
  }
});
