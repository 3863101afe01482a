import { access, readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { corpusBleu } from '../../eval/index.js';
import { loadModel } from '../../src/node.js';
import { type Experiment, table } from './experiment.js';
import { type Language, runOf, scoreTest } from './multi30k.js';

/* What rounded weights cost: sacreBLEU of trained models in each precision. */

const precisions = ['float32', 'int8', 'int4'] as const;
type Precision = (typeof precisions)[number];

const software = {
  name: '`models/en-fr-software`, its test set (2,648 pairs)',
  score: async (weightPrecision: Precision) => {
    const packed = await readFile('../shared/data/debian/en-fr.test.tsv.gz');
    const pairs = gunzipSync(packed).toString('utf8').trimEnd().split('\n');
    const model = await loadModel('models/en-fr-software', { weightPrecision });
    const sources = pairs.map((pair) => pair.split('\t')[0]);
    const hypotheses = await model.translate(sources, { to: 'fr', numBeams: 4, batchSize: 64 });
    await model.dispose();
    return corpusBleu(hypotheses, [pairs.map((pair) => pair.split('\t')[1])]).score;
  },
};

const multi30k = (language: Language) => ({
  name: `Multi30k en-${language}, test2016 (1,000 pairs, lower-cased)`,
  score: async (weightPrecision: Precision) => (await scoreTest(language, { weightPrecision })).sacre.score,
});

export const precision: Experiment = {
  title: 'Weight precisions',
  budgetMinutes: 15,
  run: async () => {
    for (const language of ['de', 'fr'] as const) {
      await access(`${runOf(language)}/model`).catch(() => {
        throw new Error(`${runOf(language)}/model is not there: npm run experiment -- multi30k trains it.`);
      });
    }
    const rows: string[][] = [];
    for (const { name, score } of [software, multi30k('de'), multi30k('fr')]) {
      const scores: number[] = [];
      for (const one of precisions) scores.push(await score(one));
      const lost = (at: number) => `${scores[at].toFixed(2)} (${(scores[at] - scores[0]).toFixed(2)})`;
      rows.push([name, scores[0].toFixed(2), lost(1), lost(2)]);
    }
    return [
      'sacreBLEU of one checkpoint, decoded with weights as they are, with int8 weights and activations, and with int4',
      'weights in blocks; in parentheses the difference from float32. The weights of `models/en-fr-software` are stored as',
      'int8, which float32 computes with as they are.',
      '',
      table(['model', ...precisions], rows),
    ].join('\n');
  },
};
