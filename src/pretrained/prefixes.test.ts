import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import { createBatcher } from './batcher.js';
import { loadModel } from './loadModel.js';
import type { Model } from './model.js';
import type { Prefix } from './modelParts.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel('models/en-fr-software');
});
afterAll(() => model.dispose());

const texts = [
  'This package contains the documentation.',
  'Yes.',
  'Free software is a matter of liberty.',
  '',
  'The file is missing.',
];
/** Of several lengths in tokens; one sentence has none. */
const prefixes = ['La documentation', '', 'Un logiciel libre est une question', '', 'Il'];
const search = { numBeams: 2, maxNewTokens: 12 };

const encode = (text: string) => model.tokenizer!.encode(text, { side: 'target', addSpecialTokens: false });

describe('prefixes of translations', () => {
  test('are what each begins with, as decoderInputIds would be, whatever shares a batch', async () => {
    const found = await model.translate(texts, { ...search, prefixes });
    const free = await model.translate(texts, search);
    for (const [index, text] of texts.entries()) {
      expect(found[index].startsWith(prefixes[index])).toBe(true);
      if (prefixes[index] === '') expect(found[index]).toBe(free[index]);
      else expect(found[index]).not.toBe(free[index]);
      if (text === '') continue;
      const [{ ids: inputIds }] = await model.tokenizer!.encodeBatch([text]);
      const { ids } = await encode(prefixes[index]);
      const [{ sequences }] = await model.generate([{ inputIds, decoderInputIds: ids }], search);
      expect(found[index]).toBe(sequences[0].text);
    }
    expect(await model.translate(texts, { ...search, prefixes, batchSize: 1 })).toEqual(found);
    const reversed = await model.translate([...texts].reverse(), {
      ...search,
      prefixes: [...prefixes].reverse(),
    });
    expect(reversed.reverse()).toEqual(found);
  });

  test('that the greedy translation has give it', async () => {
    const full = texts.filter((text) => text !== '');
    const greedy = await model.translate(full, { maxNewTokens: 40 });
    const beginnings = greedy.map((text) => text.split(' ').slice(0, 2).join(' '));
    expect(new Set(beginnings.map((text) => text.length)).size).toBeGreaterThan(1);
    expect(await model.translate(full, { maxNewTokens: 40, prefixes: beginnings })).toEqual(greedy);
  });

  test('may be ids, those of tokens included that a text cannot have', async () => {
    const { ids } = await encode('Un logiciel');
    const given: Prefix[] = [ids, 'Un logiciel'];
    const [first, second] = await model.translate([texts[2], texts[2]], { ...search, prefixes: given });
    expect(first).toBe(second);
    const unknown = model.tokenizer!.specialIds.unk!;
    const [{ sequences }] = await model.generate([{ text: texts[2], prefix: [unknown] }], search);
    expect(sequences[0].ids[0]).toBe(unknown);
  });

  test('begin the first piece of a text that is cut', async () => {
    const long = `${texts[0]} ${texts[2]} ${texts[4]}`;
    const cut = { ...search, chunk: 14 };
    const whole = await model.translate([texts[1], long], { ...cut, prefixes: ['Oui', 'La documentation'] });
    const free = await model.translate([texts[1], long], cut);
    expect(whole[1].startsWith('La documentation')).toBe(true);
    expect(whole[1].split('La documentation').length).toBe(free[1].split('La documentation').length + 1);
    const [tail] = await model.translate([texts[4]], cut);
    expect(whole[1].endsWith(tail)).toBe(true);
    expect(whole[0].startsWith('Oui')).toBe(true);
  });

  test('are told by streams first, with the sentence they belong to', async () => {
    const inputs = texts.map((text, index) => ({ text, prefix: prefixes[index] }));
    const outputs = await model.generate(inputs, search);
    const told = texts.map(() => '');
    for await (const { index, delta } of model.stream(inputs, search)) told[index] += delta;
    expect(told).toEqual(outputs.map(({ sequences }) => sequences[0].text ?? ''));
    expect(told[2].startsWith(prefixes[2])).toBe(true);
  });

  test('take part in alignments', async () => {
    const [{ text, attention }] = await model.translateAligned([texts[0]], {
      ...search,
      prefixes: ['La documentation'],
    });
    expect(attention).toHaveLength(text.split(' ').length);
  });
});

describe('prefixBiasBeta', () => {
  const drawn = { ...search, prefixBiasBeta: 0.5 };
  const inputs = texts
    .map((text, index) => ({ text, prefix: prefixes[index] }))
    .filter(({ text }) => text !== '');

  test('draws translations to their prefixes, each to its own', async () => {
    const translations = await model.translate(texts, { ...drawn, prefixes });
    const free = await model.translate(texts, search);
    expect(translations[1]).toBe(free[1]);
    expect(translations.filter((text, at) => text !== free[at]).length).toBeGreaterThan(0);
    const outputs = await model.generate(inputs, drawn);
    expect(outputs.map(({ sequences }) => sequences[0].text)).toEqual(
      translations.filter((text) => text !== ''),
    );
  });

  test('is the same in requests that share steps', async () => {
    const alone = await model.generate(inputs, drawn);
    const batcher = createBatcher(model);
    const shared = await Promise.all(inputs.map((input) => batcher.generate(input, drawn)));
    expect(shared.map(({ sequences }) => sequences[0].text)).toEqual(
      alone.map(({ sequences }) => sequences[0].text),
    );
    for (const [at, { sequences }] of shared.entries()) {
      expect(sequences[0].score).toBeCloseTo(alone[at].sequences[0].score, 4);
    }
  });
});

describe('prefixes that cannot be', () => {
  test.each<[string[], string]>([
    [['', '', '', 'Oui', ''], 'Input 4: prefix "Oui" begins the output of a blank text'],
    [['Oui'], "prefixes has 1 for 5 texts; give one for each, '' for none."],
  ])('are refused before anything is decoded: %j', async (given, message) => {
    const done: number[] = [];
    const options = { ...search, prefixes: given, onProgress: (count: number) => done.push(count) };
    await expect(model.translate(texts, options)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(message),
    });
    expect(done).toEqual([]);
  });

  test('are named: special tokens, ids that are none, texts to be continued, targets to be scored', async () => {
    const end = model.tokenizer!.specialTokens.eos!;
    const refused = async (run: Promise<unknown>, message: string) =>
      expect(run).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining(message),
      });
    await refused(model.generate([{ text: 'a', prefix: `Oui ${end}` }]), `holds the special token ${end}`);
    await refused(model.generate([{ text: 'a', prefix: [9e6] }]), 'Input 1: prefix holds 9000000; give ids');
    await refused(
      model.score([{ source: { text: 'a', prefix: 'b' }, target: 'c' }]),
      'a prefix is part of the target',
    );
    const gpt2 = await loadModel('test/fixtures/models/gpt2');
    await refused(
      gpt2.generate([{ inputIds: [5], prefix: [6] }]),
      'prefix [6] has no place beside inputIds, which the model continues',
    );
    await gpt2.dispose();
  });
});

describe('returnAlternatives', () => {
  const options = { ...search, returnAlternatives: true, numReturnSequences: 3 };

  test('goes on from a text in several ways, each as if it were forced', async () => {
    const input = { text: texts[2], prefix: 'Un logiciel' };
    const [{ sequences }] = await model.generate([input], options);
    const { length } = (await encode('Un logiciel')).ids;
    expect(new Set(sequences.map(({ ids }) => ids[length])).size).toBe(3);
    for (const { ids, text } of sequences) {
      expect(text?.startsWith('Un logiciel')).toBe(true);
      const forced = { text: texts[2], prefix: ids.slice(0, length + 1) };
      const [again] = await model.generate([forced], { ...search, maxNewTokens: search.maxNewTokens - 1 });
      expect(again.sequences[0].text).toBe(text);
    }
  });

  test('has no place in translations and streams', async () => {
    const refusal = { code: 'OPTION_CONFLICT', message: expect.stringContaining('returnAlternatives') };
    await expect(model.translate([texts[0]], options)).rejects.toMatchObject(refusal);
    await expect(model.translateAligned([texts[0]], options)).rejects.toMatchObject(refusal);
    const events = model.stream(texts[0], options);
    await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject(refusal);
  });
});
