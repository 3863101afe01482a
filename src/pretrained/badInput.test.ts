import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../../test/support/engine/runtime.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { loadModel } from './loadModel.js';
import { readSafetensors } from './safetensors.js';

/*
 * What of bad input only a whole model shows. The rest is held where it is refused: more sequences than beams in
 * options.test.ts, constraints without room in constrainedBeam.test.ts, unknown languages in languages.test.ts, prefixes of
 * unknown tokens in prefixes.test.ts.
 */

const marian = new URL('../../test/fixtures/models/marian', import.meta.url).pathname;
let directory: string;
beforeAll(() => {
  setFileAccess(nodeFiles);
  directory = mkdtempSync(`${tmpdir()}/polybeam-bad-`);
});
afterAll(() => rmSync(directory, { recursive: true }));

const input = { inputIds: [5, 6, 7, 0] };

test('more beams than tokens, and than outputs there are, give all outputs there are', async () => {
  const model = await loadModel(marian);
  const outputsOf = async (options: { numBeams: number; maxNewTokens: number }) => {
    const wanted = { ...options, numReturnSequences: options.numBeams, noRepeatNgramSize: 0 };
    const [{ sequences }] = await model.generate([input], wanted);
    return sequences;
  };
  const all = await outputsOf({ numBeams: 100, maxNewTokens: 1 });
  // Of 72 tokens the model forbids some.
  expect(new Set(all.map(({ ids }) => ids.join())).size).toBe(all.length);
  expect(all.length).toBeGreaterThan(60);
  expect(all.length).toBeLessThanOrEqual(72);
  const probability = all.reduce((sum, one) => sum + Math.exp(one.tokenLogProbabilities[0]), 0);
  expect(probability).toBeCloseTo(1, 3);
  const scores = all.map(({ score }) => score);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
  const longer = await outputsOf({ numBeams: 100, maxNewTokens: 3 });
  expect(longer).toHaveLength(100);
  await model.dispose();
});

describe('weights that are not numbers', () => {
  test.each([
    [{}],
    [{ numBeams: 3 }],
    [{ doSample: true, topK: 0, seed: 1 }],
    [{ doSample: true, topP: 0.9, seed: 1 }],
    [{ numBeams: 4, numBeamGroups: 2, diversityPenalty: 1 }],
    [{ numBeams: 2, forceWordsIds: [[4]] }],
  ])('are refused by a code with %j, and the model is freed', async (options) => {
    const path = `${directory}/nan`;
    cpSync(marian, path, { recursive: true });
    const file = `${path}/model.safetensors`;
    const { data } = (await readSafetensors(file)).get('final_logits_bias')!;
    const bytes = readFileSync(file);
    for (let at = 0; at < 72; at++)
      bytes.writeFloatLE(Number.NaN, (data as { offset: number }).offset + 4 * at);
    writeFileSync(file, bytes);
    const model = await loadModel(path);
    const wanted = { ...options, maxNewTokens: 4 };
    await expect(model.generate([input], wanted)).rejects.toMatchObject({ code: 'LOGITS_INVALID' });
    await model.dispose();
  });
});

test('a stream that is aborted ends with a code, and the model goes on working', async () => {
  const model = await loadModel(marian);
  const options = { numBeams: 2, maxNewTokens: 8, minNewTokens: 8 };
  const before = await model.generate([input], options);
  const controller = new AbortController();
  let events = 0;
  const watch = async () => {
    for await (const _ of model.stream([input], { ...options, signal: controller.signal })) {
      events++;
      controller.abort();
    }
  };
  await expect(watch()).rejects.toMatchObject({ code: 'ABORTED' });
  expect(events).toBeGreaterThan(0);
  expect(events).toBeLessThan(8);
  expect(await model.generate([input], options)).toEqual(before);
  await model.dispose();
});
