import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import '../../node/install.js';
import type { Device } from '../../engine/program.js';
import { integers } from '../../engine/values.js';
import { readXlmConfig } from '../../pretrained/architectures/xlm.js';
import { openWeights } from '../../pretrained/openWeights.js';
import { warmStart } from '../../training/initialize.js';
import { compileTrainStep, trainableParameters } from '../../training/step.js';
import type { TrainBatch } from '../../training/trainStep.js';
import { predictionLoss } from './loss.js';

/* The loss against transformers' logits of the same rows (tools/makeXlmFixtures.py). */

const directory = 'test/fixtures/models/xlm';
const { inputs, forward } = JSON.parse(readFileSync(`${directory}/expected.json`, 'utf8'));
const model = readXlmConfig(JSON.parse(readFileSync(`${directory}/config.json`, 'utf8')), directory);
const optimizer = { adamBeta1: 0.9, adamBeta2: 0.98, adamEpsilon: 1e-9, weightDecay: 0, clipNorm: 0 };

const feed = (lists: number[][]) => {
  const { shape, data } = integers([lists.length, lists[0].length], Int32Array.from(lists.flat()));
  return { dtype: 'int32', shape: [...shape], data } as TrainBatch['feeds'][string];
};
const list = (values: number[]) => ({
  dtype: 'int32' as const,
  shape: [values.length],
  data: Int32Array.from(values),
});

/** Labels at some places of the fixture's rows. */
const places = [
  [0, 2],
  [0, 5],
  [1, 1],
  [2, 0],
  [2, 7],
];
const labels = [20, 31, 45, 17, 59];
const positions = list(places.map(([row, at]) => row * 9 + at));

function wantedSums() {
  let nll = 0;
  let correct = 0;
  places.forEach(([row, at], i) => {
    const logits: number[] = forward.logits[row][at];
    nll += Math.log(logits.reduce((sum, one) => sum + Math.exp(one), 0)) - logits[labels[i]];
    if (logits.indexOf(Math.max(...logits)) === labels[i]) correct++;
  });
  return { nll, correct };
}

describe.each(['cpu', 'tfjs:cpu'] as Device[])('the loss on %s', (device) => {
  test("is the cross entropy of transformers' logits", async () => {
    const objective = predictionLoss(model, { padded: true, bilingual: true }, 0);
    const { weights } = await warmStart(trainableParameters(objective), 1, directory);
    const step = await compileTrainStep(objective, weights, { device, optimizer });
    const best = forward.logits[1][1] as number[];
    const batch: TrainBatch = {
      feeds: {
        inputIds: feed(inputs.input_ids),
        attentionMask: feed(inputs.attention_mask),
        languages: feed(inputs.langs),
        positions: feed(inputs.input_ids.map((ids: number[]) => [...ids.keys()])),
        labelPositions: positions,
        labels: list(labels),
      },
      sentences: 3,
      sourceTokens: 18,
      targetTokens: labels.length,
    };
    const { nll, correct } = wantedSums();
    const found = await step.evaluate(batch);
    expect(found.nllSum).toBeCloseTo(nll, 3);
    expect(found.measures).toEqual({ correct });
    labels[2] = best.indexOf(Math.max(...best));
    batch.feeds.labels = list(labels);
    expect((await step.evaluate(batch)).measures.correct).toBe(wantedSums().correct);
    expect(wantedSums().correct).toBeGreaterThan(0);
    // The loss that is differentiated is the same, and lower after a step down.
    const update = { learningRate: 1e-3, update: 1, seed: 1, micro: 0, accumulatedTokens: 0 };
    const { dropout, attentionDropout } = model;
    expect([dropout, attentionDropout]).toEqual([0.1, 0.1]);
    await step.update(batch, update);
    expect((await step.evaluate(batch)).nllSum).toBeLessThan(wantedSums().nll);
    step.dispose();
  });
});

test('clm: what comes later changes nothing', async () => {
  const objective = predictionLoss({ ...model, causal: true }, { padded: false, bilingual: false }, 0);
  const { weights } = await warmStart(trainableParameters(objective), 1, directory);
  const step = await compileTrainStep(objective, weights, { device: 'cpu', optimizer });
  const lossOf = async (ids: number[]) => {
    const feeds = {
      inputIds: feed([ids]),
      languages: feed([[1]]),
      labelPositions: list([2]),
      labels: list([20]),
    };
    return (await step.evaluate({ feeds, sentences: 1, sourceTokens: 5, targetTokens: 1 })).nllSum;
  };
  const before = await lossOf([1, 20, 30, 40, 50]);
  expect(await lossOf([1, 20, 30, 41, 17])).toBeCloseTo(before, 5);
  expect(Math.abs((await lossOf([1, 21, 30, 40, 50])) - before)).toBeGreaterThan(1e-3);
  step.dispose();
});

test('weights have the names of transformers', async () => {
  const stored = (await openWeights(directory)).names().filter((name) => !name.includes('lang_'));
  const wanted = trainableParameters(
    predictionLoss({ ...model, nLangs: 1 }, { padded: false, bilingual: false }, 0),
  );
  expect(wanted.map(({ name }) => name).sort()).toEqual(stored.sort());
});
