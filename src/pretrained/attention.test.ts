import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import { saveTokenizer } from '../text/saveTokenizer.js';
import { trainVocabulary } from '../text/trainVocabulary.js';
import { loadEnsemble } from './loadEnsemble.js';
import { loadModel } from './loadModel.js';

interface Row {
  source: number[];
  ids: number[];
  /** Most there could be. */
  newTokens: number;
  /** Of the last layer, averaged over heads. [target][source] */
  last: number[][];
  /** Of the first layer's head 1. */
  first: number[][];
}

/** Made by tools/makeAttentionFixtures.py. */
const expected: Record<string, Row[]> = JSON.parse(
  readFileSync('test/fixtures/generation/attention.json', 'utf8'),
);
const fixtures = 'test/fixtures/models';

function expectRows(found: readonly Float32Array[] | undefined, wanted: readonly number[][]): void {
  expect(found?.length).toBe(wanted.length);
  wanted.forEach((row, target) => {
    expect(found![target].length).toBe(row.length);
    row.forEach((weight, source) => {
      expect(Math.abs(found![target][source] - weight), `${source}-${target}`).toBeLessThan(1e-5);
    });
  });
}

const firstLayer = { alignmentLayer: 0, alignmentHeads: [1] };

describe.each(Object.keys(expected))('attention of %s', (name) => {
  test("is transformers' cross-attention, in a search and of given outputs", async () => {
    const model = await loadModel(`${fixtures}/${name}`);
    const rows = expected[name];
    const inputs = rows.map(({ source }) => ({ inputIds: source }));
    const search = { numBeams: 4, maxNewTokens: rows[0].newTokens, returnAttention: true };
    const last = await model.generate(inputs, search);
    const first = await model.generate(inputs, { ...search, ...firstLayer });
    const pairs = rows.map(({ source, ids }) => ({ source: { inputIds: source }, target: ids }));
    const lastScored = await model.score(pairs, { returnAttention: true });
    const firstScored = await model.score(pairs, { returnAttention: true, ...firstLayer });
    rows.forEach((row, index) => {
      expect(last[index].sequences[0].ids).toEqual(row.ids);
      expectRows(last[index].sequences[0].attention, row.last);
      expectRows(first[index].sequences[0].attention, row.first);
      expectRows(lastScored[index].attention, row.last);
      expectRows(firstScored[index].attention, row.first);
    });
    const plain = await model.score(pairs);
    expect(plain.map(({ score }) => score)).toEqual(lastScored.map(({ score }) => score));
    expect(plain[0]).not.toHaveProperty('attention');
    await model.dispose();
  });
});

test('links each token to the one that it reads most, end tokens left out', async () => {
  const model = await loadModel(`${fixtures}/marian`);
  const [{ source, ids, last }] = expected.marian;
  const [{ sequences }] = await model.generate([{ inputIds: source }], {
    numBeams: 4,
    maxNewTokens: 16,
    returnAttention: true,
  });
  // 0 ends a text in this model.
  const wanted = ids.flatMap((id, target) => {
    const open = source.map((other, place) => (other === 0 ? -1 : last[target][place]));
    return id === 0 ? [] : [[open.indexOf(Math.max(...open)), target]];
  });
  expect(sequences[0].alignment).toEqual(wanted);
  expect(wanted.length).toBeLessThan(ids.length);
  await model.dispose();
});

test('is the weighted mean of the members of an ensemble', async () => {
  const names = ['mbart', 'm2m100'];
  const directories = names.map((name) => `${fixtures}/${name}`);
  const [{ source, ids }] = expected.mbart;
  const pair = [{ source: { inputIds: source }, target: ids }];
  const own: Float32Array[][] = [];
  for (const directory of directories) {
    const member = await loadModel(directory);
    own.push((await member.score(pair, { returnAttention: true }))[0].attention!);
    await member.dispose();
  }
  const ensemble = await loadEnsemble(directories, { weights: [1, 3] });
  const wanted = own[0].map((row, target) =>
    Array.from(row, (weight, place) => 0.25 * weight + 0.75 * own[1][target][place]),
  );
  const [scored] = await ensemble.score(pair, { returnAttention: true });
  expectRows(scored.attention, wanted);
  const [{ sequences }] = await ensemble.generate([{ inputIds: source, decoderInputIds: ids.slice(0, 3) }], {
    maxNewTokens: 3,
    returnAttention: true,
  });
  expectRows(sequences[0].attention?.slice(0, 3), wanted.slice(0, 3));
  await ensemble.dispose();
});

describe('alignments of texts', () => {
  const directory = mkdtempSync(join(tmpdir(), 'polybeam-attention-'));
  beforeAll(async () => {
    cpSync(`${fixtures}/marian`, directory, { recursive: true });
    const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');
    const lines = [...letters.map((letter) => `${letter} ${letter}${letter}`), 'the end', 'the start'];
    const specialTokens = ['</s>', '<unk>', '<pad>'];
    const tokenizer = await trainVocabulary(lines, { size: 72, minFrequency: 1, specialTokens });
    await saveTokenizer(directory, tokenizer, {});
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const source = 'the start  of ends';

  test('are between words: sums over the tokens read, means over the tokens written', async () => {
    const model = await loadModel(directory);
    const [{ text, alignment, attention }] = await model.translateAligned([source], { maxNewTokens: 9 });
    expect([text]).toEqual(await model.translate([source], { maxNewTokens: 9 }));
    const [output] = await model.generate([{ text: source }], { maxNewTokens: 9, returnAttention: true });
    const [sequence] = output.sequences;
    expect(sequence.words).toEqual({ alignment, attention });
    // Words by the marks that begin them; every token of this vocabulary has letters.
    const wordsOfIds = (ids: readonly number[]) => {
      let word = -1;
      return ids.map((id) => {
        const token = model.tokenizer!.idToToken(id) as string;
        if (token.startsWith('▁')) word++;
        return /<.*>/.test(token) ? -1 : Math.max(word, 0);
      });
    };
    const sources = wordsOfIds(output.inputIds);
    const targets = wordsOfIds(sequence.ids);
    expect(new Set(sources)).toEqual(new Set([0, 1, 2, 3, -1]));
    expect(attention).toHaveLength(text.split(' ').length);
    attention.forEach((row, word) => {
      const own = sequence.attention!.filter((_, at) => targets[at] === word);
      row.forEach((weight, place) => {
        const sums = own.map((weights) =>
          weights.reduce((sum, one, at) => (sources[at] === place ? sum + one : sum), 0),
        );
        expect(weight).toBeCloseTo(sums.reduce((sum, one) => sum + one, 0) / own.length, 6);
      });
    });
    const links = sequence.alignment!.map(([from, to]) => `${sources[from]}-${targets[to]}`);
    expect(new Set(alignment.map((link) => link.join('-')))).toEqual(new Set(links));
    await model.dispose();
  });

  test('of a given output are those of the search', async () => {
    const model = await loadModel(directory);
    const [{ text, alignment, attention }] = await model.translateAligned([source], { maxNewTokens: 9 });
    const [scored] = await model.score([{ source: { text: source }, target: text }], {
      returnAttention: true,
    });
    // The text may end earlier than the search did, and be split otherwise; this one is not.
    expect(scored.words?.alignment).toEqual(alignment);
    scored.words?.attention.forEach((row, word) => {
      row.forEach((weight, place) => {
        expect(weight).toBeCloseTo(attention[word][place], 4);
      });
    });
    const blank = await model.score([{ source: { text: source }, target: ' ' }], { returnAttention: true });
    // The end token alone, which stands for no word.
    expect(blank[0]).toMatchObject({
      ids: [model.config.eos_token_id],
      alignment: [],
      words: { alignment: [], attention: [] },
    });
    await model.dispose();
  });

  test('are empty for blank texts, and refused where they have no place', async () => {
    const model = await loadModel(directory);
    const [blank] = await model.translateAligned(['  '], { maxNewTokens: 4 });
    expect(blank).toEqual({ text: '', alignment: [], attention: [] });
    for (const refused of [
      model.translate([source], { returnAttention: true }),
      model.translateAligned([source], { chunk: 5 }),
      model.score([{ source: { text: source }, target: 'a' }], { alignmentLayer: 0 }),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'OPTION_CONFLICT' });
    }
    const far = { returnAttention: true, alignmentLayer: 9 };
    await expect(model.score([{ source: { text: source }, target: 'a' }], far)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
    await model.dispose();
  });
});
