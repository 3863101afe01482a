import { describe, expect, it } from 'vitest';
import { backTranslationDesign, benchBackTranslation } from './backtranslation.js';
import { withTemporaryDirectory } from './bench.js';
import { benchControls } from './controls.js';
import { benchDecode, type DecodeDesign, decodeDesign } from './decode.js';
import { benchLoad } from './load.js';
import { benchMapping } from './mapping.js';
import { benchPretrain, pretrainDesign } from './pretrain.js';
import { padTokenOf, transformerWeights, writeRandomModel } from './randomModel.js';
import type { Report, Row } from './rows.js';
import { benchServe } from './serve.js';
import { benchStart } from './start.js';
import { benchTable } from './table.js';
import { benchTrain, trainDesign } from './train.js';
import { openGradients, openUpdate } from './trainWork.js';

const sizes = {
  vocabSize: 60,
  decoderVocabSize: 60,
  dModel: 16,
  encoderFfnDim: 32,
  decoderFfnDim: 32,
  encoderLayers: 1,
  decoderLayers: 1,
  encoderAttentionHeads: 2,
  decoderAttentionHeads: 2,
};
const decode: DecodeDesign = { config: { ...decodeDesign.config, ...sizes }, sourceTokens: 4, steps: 3 };
const train = { config: { ...trainDesign.config, ...sizes }, batch: 2, length: 4 };
const once = { threads: 1, rounds: 1 };

/** Runs a bench, and returns its rows. */
async function rowsOf(bench: (report: Report) => Promise<void>): Promise<Row[]> {
  const rows: Row[] = [];
  await bench({ row: ({ row }) => rows.push(row), note: () => {} });
  return rows;
}

describe('benches on a tiny model', () => {
  it('decode', async () => {
    const rows = await rowsOf((report) => benchDecode(once, report, decode));
    expect(rows.map((row) => row.case)).toEqual([
      'float32 batch 1 beam 1',
      'float32 batch 1 beam 4',
      'float32 batch 16 beam 4',
      'int8 batch 1 beam 1',
      'int8 batch 1 beam 4',
      'int8 batch 16 beam 4',
      'float32 batch 1 beam 1, int8 drafts',
      'int4 batch 1 beam 1',
      'int4 batch 1 beam 4',
      'int8 shortlist batch 1 beam 4',
      'int8 shortlist batch 16 beam 4',
      'polybeam peak memory',
    ]);
    for (const row of rows.slice(0, -1)) expect(row.ms).toBeGreaterThan(0);
    expect(rows.at(-1)?.mb).toBeGreaterThan(1);
  });

  it('train', async () => {
    const rows = await rowsOf((report) => benchTrain(once, report, train));
    expect(rows.map((row) => row.case)).toEqual([
      'float32 forward and backward',
      'float32 forward, backward, clipping and AdamW',
      'polybeam peak memory',
    ]);
  });

  it('backtranslation', async () => {
    const config = {
      ...backTranslationDesign.config,
      vocabSize: 60,
      embDim: 16,
      nHeads: 2,
      nLayers: 1,
      decoderLayers: 1,
    };
    const design = { config, sentences: 2, lengths: [3, 5] as const, rounds: 2 };
    const rows = await rowsOf((report) => benchBackTranslation(once, report, design));
    expect(rows.map((row) => row.case)).toEqual([
      'round: 4 updates, 2 translations',
      'of it generation',
      'of it training',
      'of it data',
      'generation in a step of back-translation',
      'polybeam peak memory',
    ]);
    const shares = rows.slice(1, 4).map((row) => row.share!);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 1);
  });

  it('pretrain', async () => {
    const design = {
      config: { ...pretrainDesign.config, ...sizes },
      texts: 40,
      maxTokens: 64,
      maxLength: 16,
    };
    const rows = await rowsOf((report) => benchPretrain(once, report, design));
    expect(rows.map((row) => row.case)).toEqual([
      'float32 MASS update',
      'making a batch',
      'padding of batches',
      'polybeam peak memory',
    ]);
    expect(rows[2].share).toBeLessThan(0.5);
  });

  it('load', async () => {
    const rows = await rowsOf((report) => benchLoad(once, report, decode));
    expect(rows[0]).toMatchObject({ case: 'float32 until the first token', ms: expect.any(Number) });
    expect(rows.slice(1).every((row) => row.mb !== undefined)).toBe(true);
  });

  it('controls', async () => {
    const rows = await rowsOf((report) => benchControls(once, report, { ...decode, steps: 8 }));
    expect(rows.map((row) => [row.case, row.peer])).toEqual(
      [
        'noRepeatNgramSize',
        'repetitionPenalty',
        'badWordsIds',
        'sequenceBias',
        'forceWordsIds',
        'stream',
      ].map((name) => [name, 'without']),
    );
  });

  it('table', async () => {
    const rows = await rowsOf((report) => benchTable(once, report, { ngrams: 50, size: 4 }));
    expect(rows.map(({ case: name, peer }) => [name, peer])).toEqual([
      ['one direction', 'products'],
      ['both directions', 'products'],
      ['polybeam peak memory', undefined],
    ]);
    for (const row of rows.slice(0, 2)) expect(row.ms).toBeGreaterThan(0);
  });

  it('mapping', async () => {
    const rows = await rowsOf((report) => benchMapping(once, report, { ngrams: 50, size: 4 }));
    expect(rows.map(({ case: name, peer }) => [name, peer])).toEqual([
      ['a tenth of similarities', 'products'],
      ['all similarities', 'products'],
      ['polybeam peak memory', undefined],
    ]);
    for (const row of rows.slice(0, 2)) expect(row.ms).toBeGreaterThan(0);
  });

  it('serve', async () => {
    const rows = await rowsOf((report) => benchServe({ ...once, case: 'beam 4' }, report, decode));
    expect(rows.map(({ case: name, peer }) => [name, peer])).toEqual([
      ['float32 32 clients at once beam 4', 'offline'],
      ['float32 32 clients one by one beam 4', 'offline'],
      ['int8 32 clients at once beam 4', 'offline'],
      ['int8 32 clients one by one beam 4', 'offline'],
    ]);
    for (const row of rows) expect(row.ratio).toBeGreaterThan(0);
  });

  it('start', async () => {
    const rows = await rowsOf((report) => benchStart(once, report));
    expect(rows.map((row) => row.case)).toEqual([
      'version, CPU time',
      'version, time',
      'one sentence, CPU time',
      'one sentence, time',
    ]);
    for (const row of rows) expect(row.ms).toBeGreaterThan(1);
  });

  it('--operators', async () => {
    const options = { ...once, operators: true, case: 'batch 1 beam 4' };
    const rows = await rowsOf((report) => benchDecode(options, report, decode));
    const [step] = rows.filter(({ operator }) => operator?.startsWith('DecoderMasked'));
    expect(step).toMatchObject({ case: 'float32 batch 1 beam 4, program run 3 times', calls: 1 });
    const steps = rows.filter((row) => row.case === step.case);
    expect(steps.reduce((sum, { share = 0 }) => sum + share, 0)).toBeCloseTo(1, 2);
  });
});

describe('the work of the training bench', () => {
  it('has the same loss and gradient alone and in the whole update', async () => {
    await withTemporaryDirectory(async (directory) => {
      const specs = transformerWeights(train.config);
      const store = await writeRandomModel(directory, train.config, specs);
      const weights = new Map<string, Float32Array>();
      for (const name of store.names()) weights.set(name, await store.read(name));
      const works = [await openGradients(train, weights, {}), await openUpdate(train, weights, {})];
      for (const work of works) await work.run();
      const [gradients, update] = works.map((work) => work.numbers());
      expect(gradients.loss).toBeCloseTo(update.loss, 5);
      expect(gradients.gradientNorm).toBeCloseTo(update.gradientNorm, 5);
      for (const work of works) await work.dispose();
    });
  });
});

describe('random models', () => {
  it('are the same each time, with a zero row for padding', async () => {
    await withTemporaryDirectory(async (directory) => {
      const specs = transformerWeights(decode.config);
      const store = await writeRandomModel(directory, decode.config, specs);
      expect([...store.names()].sort()).toEqual(specs.map(({ name }) => name).sort());
      const table = await store.read('model.shared.weight');
      const last = padTokenOf(decode.config) * decode.config.dModel;
      expect(table.length).toBe(last + decode.config.dModel);
      expect(table.subarray(last).every((value) => value === 0)).toBe(true);
      expect(table.subarray(0, last).every((value) => value !== 0)).toBe(true);
      const again = await writeRandomModel(directory, decode.config, specs);
      expect(await again.read('model.shared.weight')).toEqual(table);
    });
  });
});
