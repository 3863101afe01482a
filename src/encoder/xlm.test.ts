import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import '../node/install.js';
import { compile } from '../engine/compile.js';
import type { Device, Signature } from '../engine/program.js';
import { integers } from '../engine/values.js';
import { readXlmConfig } from '../pretrained/architectures/xlm.js';
import { loadModel } from '../pretrained/loadModel.js';
import { openWeights } from '../pretrained/openWeights.js';
import { encodeXlm } from './xlm.js';

/*
 * What transformers.test.ts does not reach: positions and languages as translation language modelling gives them.
 * Numbers are transformers' (tools/makeXlmFixtures.py).
 */

const directory = 'test/fixtures/models/xlm';
const { inputs, forward } = JSON.parse(readFileSync(`${directory}/expected.json`, 'utf8'));
const raw = JSON.parse(readFileSync(`${directory}/config.json`, 'utf8'));
const [rows, length, features] = [3, 9, 16];
const size = { type: 'int32', shape: ['rows', 'length'] } as const;

const numbers = (lists: number[][]) =>
  integers([lists.length, lists[0].length], Int32Array.from(lists.flat()));

/** Largest difference where the mask is 1. */
function difference(found: ArrayLike<number>, wanted: number[][][]): number {
  const mask: number[] = inputs.attention_mask.flat();
  return Math.max(
    ...(wanted.flat(2) as number[]).map((value, at) =>
      mask[Math.floor(at / features)] === 0 ? 0 : Math.abs(found[at] - value),
    ),
  );
}

describe.each(['cpu', 'tfjs:cpu'] as Device[])('XLM on %s', (device) => {
  test('positions may restart within a row', async () => {
    const config = readXlmConfig(raw, directory);
    const signature: Signature = { inputIds: size, attentionMask: size, languages: size, positions: size };
    const program = await compile(
      ({ inputIds, attentionMask, languages, positions }, p) => ({
        hidden: encodeXlm(p.scope('transformer'), config, { inputIds, attentionMask, languages, positions }),
      }),
      signature,
      { device, weights: await openWeights(directory) },
    );
    const { hidden } = await program.run({
      inputIds: numbers(inputs.input_ids),
      attentionMask: numbers(inputs.attention_mask),
      languages: numbers(inputs.langs),
      positions: numbers([
        [...Array(length).keys()],
        [0, 1, 0, 1, 2, 3, 4, 5, 6],
        [0, 1, 2, 3, 0, 1, 2, 3, 4],
      ]),
    });
    expect(hidden.shape).toEqual([rows, length, features]);
    expect(difference(hidden.data, forward.last_hidden_state_restarted)).toBeLessThan(1e-4);
    expect(difference(hidden.data, forward.last_hidden_state)).toBeGreaterThan(0.1);
    await program.dispose();
  });

  test('a column of languages stands for all columns', async () => {
    const config = readXlmConfig(raw, directory);
    const column = { type: 'int32', shape: ['rows', 1] } as const;
    const program = await compile(
      ({ inputIds, attentionMask, languages }, p) => ({
        hidden: encodeXlm(p.scope('transformer'), config, { inputIds, attentionMask, languages }),
      }),
      { inputIds: size, attentionMask: size, languages: column },
      { device, weights: await openWeights(directory) },
    );
    const { hidden } = await program.run({
      inputIds: numbers(inputs.input_ids.slice(0, 1)),
      attentionMask: numbers(inputs.attention_mask.slice(0, 1)),
      languages: numbers([[1]]),
    });
    expect(difference(hidden.data, [forward.last_hidden_state[0]])).toBeLessThan(1e-4);
    await program.dispose();
  });

  test('without languages none is added', async () => {
    const model = await loadModel(directory, { device });
    for (let row = 0; row < rows; row++) {
      const { lastHiddenState } = await model.forward({
        inputIds: inputs.input_ids[row],
        attentionMask: inputs.attention_mask[row],
      });
      const wanted = forward.last_hidden_state_without_langs[row] as number[][];
      lastHiddenState!.forEach((state, at) => {
        if (inputs.attention_mask[row][at] === 0) return;
        state.forEach((value, feature) => {
          expect(Math.abs(value - wanted[at][feature])).toBeLessThan(1e-4);
        });
      });
    }
    await expect(model.forward({ inputIds: [1, 14], langs: [0, 3] })).rejects.toThrow(/langs holds 3/);
    await model.dispose();
  });
});

test.each([
  ['asm', true, /asm is true/],
  ['is_encoder', false, /is_encoder is false/],
  ['n_heads', 5, /n_heads is 5 \(emb_dim is not a multiple/],
])('%s %s is refused', (key, value, message) => {
  expect(() => readXlmConfig({ ...raw, [key]: value }, 'config.json')).toThrow(message);
});

test('old configurations name the vocabulary n_words', () => {
  const { vocab_size: words, ...rest } = raw;
  expect(readXlmConfig({ ...rest, n_words: words }, 'config.json').vocabSize).toBe(60);
});
