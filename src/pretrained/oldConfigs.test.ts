import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, expect, test } from 'vitest';
import '../node/install.js';
import { loadModel } from './loadModel.js';

/* What config.json says in ways that few checkpoints use. */

const folder = mkdtempSync(`${tmpdir()}/polybeam-configs-`);
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of a fixture with other settings, and without a generation_config.json. */
function withConfig(name: string, settings: object): string {
  const directory = mkdtempSync(`${folder}/`);
  cpSync(`test/fixtures/models/${name}`, directory, { recursive: true });
  rmSync(`${directory}/generation_config.json`, { force: true });
  const config = JSON.parse(readFileSync(`${directory}/config.json`, 'utf8'));
  writeFileSync(`${directory}/config.json`, JSON.stringify({ ...config, ...settings }));
  return directory;
}

test.each([
  [true, 5],
  [false, undefined],
])('force_bos_token_to_be_generated %s of old BARTs is what it says', async (forces, first) => {
  const settings = { force_bos_token_to_be_generated: forces, bos_token_id: 5 };
  const model = await loadModel(withConfig('bart', settings));
  const [{ sequences }] = await model.generate([{ inputIds: [5, 9, 12] }], { maxNewTokens: 4 });
  if (forces) expect(sequences[0].ids[0]).toBe(first);
  else expect(sequences[0].ids[0]).not.toBe(5);
  await model.dispose();
});

// The first two features of each position, by transformers 5.23.
test.each([
  ['bert', [-0.13318, 0.16456, -0.74173, 3.13348, -1.19034, 2.1543, -0.98668, 2.54482]],
  ['bert-generation-encoder', [0.46182, 1.13304, -0.77781, 0.87714, -0.01911, 1.66062, -0.40778, 1.0421]],
])('%s with is_decoder reads from left to right', async (name, wanted) => {
  const model = await loadModel(withConfig(name, { is_decoder: true }));
  const statesOf = async (inputIds: number[]) => {
    const { lastHiddenState } = await model.forward({ inputIds });
    return lastHiddenState!.flatMap((row) => row.slice(0, 2));
  };
  const states = await statesOf([5, 9, 12, 7]);
  states.forEach((value, at) => {
    expect(value).toBeCloseTo(wanted[at], 4);
  });
  // What follows changes nothing before it.
  const others = await statesOf([5, 9, 11]);
  others.slice(0, 4).forEach((value, at) => {
    expect(value).toBeCloseTo(states[at], 5);
  });
  await model.dispose();
});

test.each(['roformer', 'xlm-roberta-encoder'])('%s with is_decoder is refused', async (name) => {
  const code = 'CONFIG_INVALID';
  await expect(loadModel(withConfig(name, { is_decoder: true }))).rejects.toMatchObject({ code });
});
