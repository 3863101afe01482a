import * as ort from 'onnxruntime-web';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OnnxRuntime, setRuntime } from '../runtime.js';
import { webRuntime } from '../webRuntime.js';
import { describeContract } from './suite.contract.js';

// What a browser runs, in Node.
ort.env.wasm.numThreads = 1;

let sessions = 0;
beforeAll(async () => {
  const web = webRuntime(ort as OnnxRuntime);
  const create: OnnxRuntime['InferenceSession']['create'] = (model, options) => {
    sessions++;
    return web.InferenceSession.create(model, options);
  };
  await setRuntime({ ...web, InferenceSession: { create } });
});

describeContract('cpu', 2);

afterAll(() => expect(sessions).toBeGreaterThan(100));

it('has nothing of onnxruntime-node', () => {
  expect(ort.env.versions.web).toBe('1.30.0');
  expect(ort.env.versions.node).toBeUndefined();
});
