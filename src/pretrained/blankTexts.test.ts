import { afterAll, describe, expect, it } from 'vitest';
import '../node/install.js';
import { noisyChannel } from '../reranking/noisyChannel.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { loadModel } from './loadModel.js';
import { makeModel, modelParts } from './model.js';

describe('texts that show nothing', async () => {
  const model = await loadModel('models/en-fr-software', { cache: false });
  afterAll(() => model.dispose());
  const unseen = ['\u200B', '\u00AD', '\u0000', ' \uFEFF\u200B '];

  it('are translated as blank lines are, between others', async () => {
    const [game, ...blank] = await model.translate(['A free game.', ...unseen, '']);
    expect(game).toContain('jeu');
    expect(blank).toEqual(['', '', '', '', '']);
    expect(await model.translate(unseen, { chunk: 20 })).toEqual(['', '', '', '']);
  });

  it('have empty outputs, streams and scores', async () => {
    const results = await model.generate(unseen.map((text) => ({ text })));
    for (const { inputIds, sequences } of results) {
      expect(inputIds).toEqual([]);
      expect(sequences).toMatchObject([{ ids: [], score: 0, text: '' }]);
    }
    for await (const { delta } of model.stream(unseen)) expect(delta).toBe('');
    const pairs = ['', ...unseen].map((target) => ({ source: { text: 'A free game.' }, target }));
    const [blank, ...others] = await model.score(pairs);
    for (const one of others) expect(one).toEqual(blank);
  });

  it('stay blank where a language is put before texts', async () => {
    const parts = model[modelParts];
    const read: string[] = [];
    const tokenizer: Tokenizer = {
      ...(parts.tokenizer as Tokenizer),
      encodeBatch: async (texts, options) => {
        read.push(...texts);
        return (parts.tokenizer as Tokenizer).encodeBatch(texts, options);
      },
    };
    const languages = { ...parts.languages, prefixes: new Map([['fr', '>>fr<<']]) };
    const multilingual = makeModel({ ...parts, tokenizer, languages });
    const outputs = await multilingual.generate(['A free game.', ...unseen], { to: 'fr' });
    expect(read).toContain('>>fr<< A free game.');
    for (const { inputIds } of outputs.slice(1)) expect(inputIds).toEqual([]);
    expect(await multilingual.translate(unseen, { to: 'fr', chunk: 20 })).toEqual(['', '', '', '']);
  });

  it('explain nothing, and begin no output', async () => {
    const candidates = [...unseen, 'A free game.'].map((text) => ({ text, score: -1 }));
    const [first, ...rest] = await noisyChannel('Un jeu libre.', candidates, model);
    expect(first.index).toBe(4);
    for (const { channel } of rest) expect(channel).toBe(Number.NEGATIVE_INFINITY);
    const prefixes = ['\u200B', 'Un jeu'];
    const [plain, begun] = await model.translate(['A free game.', 'A free game.'], { prefixes });
    expect(begun).toMatch(/^Un jeu/);
    expect(await model.translate(['A free game.'])).toEqual([plain]);
    await expect(model.translate(['\u200B'], { prefixes: ['Un jeu'] })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});
