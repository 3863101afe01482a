import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import '../node/install.js';
import type { GenerationOptions } from '../generation/options.js';
import { loadModel } from './loadModel.js';

interface Case {
  model: string;
  source: number[];
  options: Record<string, unknown>;
  sequences: { ids: number[]; logits: number[][] }[];
}

/** Made by tools/makeLogitsFixtures.py. */
const cases: Case[] = JSON.parse(readFileSync('test/fixtures/generation/logits.json', 'utf8'));

test.each(cases.map((one, at) => [at, one.model, one] as const))(
  'case %i: returnLogits gives the output_logits of transformers (%s)',
  async (_, name, { source, options, sequences }) => {
    const model = await loadModel(`test/fixtures/models/${name}`);
    const { eos_token_id: end } = JSON.parse(
      readFileSync(`test/fixtures/models/${name}/generation_config.json`, 'utf8'),
    );
    const camel = Object.fromEntries(
      Object.entries(options).map(([key, value]) => [
        key.replace(/_(\w)/g, (__, letter) => letter.toUpperCase()),
        value === 'end' ? end : value,
      ]),
    ) as GenerationOptions;
    const [output] = await model.generate([{ inputIds: source }], { ...camel, returnLogits: true });
    expect(output.sequences.map(({ ids }) => ids)).toEqual(sequences.map(({ ids }) => ids));
    output.sequences.forEach(({ logits }, index) => {
      const wanted = sequences[index].logits;
      expect(logits).toHaveLength(wanted.length);
      wanted.forEach((row, step) => {
        expect(logits![step]).toHaveLength(row.length);
        row.forEach((value, token) => {
          expect(Math.abs(logits![step][token] - value)).toBeLessThan(1e-4);
        });
      });
    });
    await model.dispose();
  },
);

test('returnLogits is refused where there are texts alone', async () => {
  const model = await loadModel('test/fixtures/models/marian');
  for (const refused of [
    model.translate(['a'], { returnLogits: true }),
    model.translateAligned(['a'], { returnLogits: true }),
  ]) {
    await expect(refused).rejects.toMatchObject({ code: 'OPTION_CONFLICT' });
  }
  await model.dispose();
});

test('returnLogits with a shortlist gives the logits of its tokens, in their places', async () => {
  const model = await loadModel('test/fixtures/models/marian');
  const always = [...Array(72).keys()].filter((id) => id % 3 === 0 || id > 60);
  const shortlist = {
    offsets: Int32Array.of(0),
    targets: new Int32Array(0),
    always: Int32Array.from(always),
  };
  const inputs = [
    [5, 9, 12, 0],
    [7, 3, 0],
    [8, 0],
  ].map((inputIds) => ({ inputIds }));
  const options = { numBeams: 3, maxNewTokens: 6, returnLogits: true };
  const outputs = await model.generate(inputs, { ...options, shortlist });
  for (const [at, { sequences }] of outputs.entries()) {
    const [{ ids, logits }] = sequences;
    for (const [step, row] of logits!.entries()) {
      // The model's own, computed without a shortlist after the same beginning.
      const decoderInputIds = ids.slice(0, step);
      const [{ sequences: whole }] = await model.generate([{ ...inputs[at], decoderInputIds }], {
        numBeams: 1,
        maxNewTokens: 1,
        returnLogits: true,
      });
      row.forEach((logit, id) => {
        if (always.includes(id)) expect(Math.abs(logit - whole[0].logits![0][id])).toBeLessThan(1e-4);
        else expect(logit).toBe(Number.NEGATIVE_INFINITY);
      });
      expect(row).toHaveLength(whole[0].logits![0].length);
    }
  }
  await model.dispose();
});
