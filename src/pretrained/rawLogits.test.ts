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
