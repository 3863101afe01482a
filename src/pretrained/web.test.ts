import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import '../node/install.js';
import { nodeRuntime } from '../../test/support/engine/runtime.js';
import { compile } from '../engine/compile.js';
import { type OnnxRuntime, setRuntime } from '../engine/runtime.js';
import { floats } from '../engine/values.js';
import { webRuntime } from '../engine/webRuntime.js';
import { binding } from '../node/onnxLibrary.js';
import { createBatcher } from './batcher.js';
import { loadModel } from './loadModel.js';

ort.env.wasm.numThreads = 1;
// WebAssembly takes several times as long.
vi.setConfig({ testTimeout: 240_000 });
const bare = ort as OnnxRuntime;

const models = new URL('../../models', import.meta.url).pathname;
const lines = [
  'A free game.',
  'Read the manual before you install the package.',
  'simple tool to edit and view photos and pictures',
  'This package contains the documentation.',
  'Close the file.',
  'The program draws graphs of functions and prints them.',
  'library for reading and writing compressed files - development files',
  'The window manager could not be started.',
];
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(`${tmpdir()}/polybeam-web-`);
  cpSync(`${models}/en-fr-software`, directory, { recursive: true });
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await setRuntime(nodeRuntime, { mapsFiles: true });
});

test.each(['float32', 'int8', 'int4'] as const)(
  '%s translates on onnxruntime-web as on onnxruntime-node',
  async (weightPrecision) => {
    const translated = async () => {
      const model = await loadModel(directory, { weightPrecision });
      const texts = await model.translate(lines, { numBeams: 4 });
      await model.dispose();
      return texts;
    };
    await setRuntime(nodeRuntime, { mapsFiles: true });
    const wanted = await translated();
    await setRuntime(webRuntime(bare));
    expect(await translated()).toEqual(wanted);
  },
);

test('requests of a batcher, a stream and scores at the same time are those of onnxruntime-node', async () => {
  const all = async () => {
    const model = await loadModel(directory);
    const batcher = createBatcher(model);
    const streamed = async () => {
      let text = '';
      for await (const { delta } of model.stream(lines[3])) text += delta;
      return text;
    };
    const found = await Promise.all([
      ...lines.slice(0, 3).map((line) => batcher.translate(line)),
      streamed(),
      model.score([{ source: { text: lines[0] }, target: 'Un jeu.' }]),
    ]);
    await model.dispose();
    return found;
  };
  await setRuntime(nodeRuntime, { mapsFiles: true });
  const [score, ...texts] = (await all()).reverse();
  await setRuntime(webRuntime(bare));
  const [webScore, ...webTexts] = (await all()).reverse();
  expect(webTexts).toEqual(texts);
  const logs = (given: unknown) => (given as { score: number }[])[0].score;
  expect(logs(webScore)).toBeCloseTo(logs(score), 4);
});

test("onnxruntime-node's own binding is no such runtime", async () => {
  await setRuntime(binding);
  const program = await compile(({ x }) => ({ y: tf.neg(x) }), { x: { type: 'float32', shape: [1] } });
  const y = floats([1]);
  await program.run({ x: floats([1], Float32Array.of(3)) }, { y });
  expect(y.data[0]).toBe(-3);
  await program.dispose();
});

describe('a runtime that does not write into given arrays', () => {
  const doubled = () => compile(({ x }) => ({ y: tf.add(x, x) }), { x: { type: 'float32', shape: [1] } });
  const refusal = { code: 'RUNTIME_UNFIT', message: expect.stringContaining('setRuntime(webRuntime(ort))') };

  test('is refused, when it is set and by each program', async () => {
    await expect(setRuntime(bare)).rejects.toMatchObject(refusal);
    await expect(doubled()).rejects.toMatchObject(refusal);
    // Nobody waits here.
    setRuntime(bare);
    const model = await loadModel(directory);
    await expect(model.translate(['A free game.'])).rejects.toMatchObject(refusal);
    setRuntime(webRuntime(bare));
    const program = await doubled();
    const given = floats([1], new Float32Array(1));
    const { y } = await program.run({ x: floats([1], Float32Array.of(21)) }, { y: given });
    expect(y).toBe(given);
    expect(given.data[0]).toBe(42);
  });
});
