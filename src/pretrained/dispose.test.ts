import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import '../node/install.js';
import { nodeRuntime } from '../../test/support/engine/runtime.js';
import { setRuntime } from '../engine/runtime.js';
import { createBatcher } from './batcher.js';
import { loadEnsemble } from './loadEnsemble.js';
import { loadModel } from './loadModel.js';
import type { Model } from './model.js';
import { embedIds } from './textVectors.js';

const software = 'models/en-fr-software';
const fixture = (name: string) => `test/fixtures/models/${name}`;
const gone = { code: 'MODEL_DISPOSED' };
const text = 'This package contains the documentation of the program and of its library.';
const source = { inputIds: [11, 10, 16, 36, 0] };

/** Sessions that were made and not released, and runs so far; a run may be told of. */
let live = 0;
let made = 0;
let runs = 0;
let onRun: (run: number) => void = () => {};

beforeEach(async () => {
  [live, made, runs] = [0, 0, 0];
  onRun = () => {};
  const create: typeof nodeRuntime.InferenceSession.create = async (model, options) => {
    const session = await nodeRuntime.InferenceSession.create(model, options);
    live++;
    made++;
    let open = true;
    const counted = {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      run: async (...given: Parameters<typeof session.run>) => {
        if (!open) throw new Error('a session runs that was released');
        runs++;
        onRun(runs);
        const results = await session.run(...given);
        if (!open) throw new Error('a session was released while it ran');
        return results;
      },
      endProfiling: () => session.endProfiling(),
      release: async () => {
        if (!open) throw new Error('a session was released twice');
        open = false;
        live--;
        await session.release();
      },
    };
    return counted as unknown as typeof session;
  };
  await setRuntime(
    { ...nodeRuntime, InferenceSession: { create } },
    { mapsFiles: true, writesOutputs: true },
  );
});
afterEach(() => expect(live).toBe(0));
afterAll(() => setRuntime(nodeRuntime, { mapsFiles: true }));

/** What a model can do with a text, by name. */
const uses: Record<string, (model: Model) => Promise<unknown>> = {
  translate: (model) => model.translate([text, 'Close the file.']),
  'translate in pieces': (model) => model.translate([`${text} ${text}`], { chunk: 8, numBeams: 2 }),
  translateAligned: (model) => model.translateAligned([text]),
  'generate by beams': (model) => model.generate([{ text }], { numBeams: 4, returnLogits: false }),
  'generate by sampling': (model) => model.generate([{ text }], { doSample: true, seed: 1 }),
  'generate with drafts': (model) => model.generate([{ text }], { promptLookupNumTokens: 3, numBeams: 1 }),
  'generate alternatives': (model) =>
    model.generate([{ text, prefix: 'Ce paquet' }], {
      returnAlternatives: true,
      numBeams: 1,
      numReturnSequences: 3,
    }),
  stream: (model) => drained(model.stream(text)),
  score: (model) => model.score([{ source: { text }, target: 'Ce paquet.' }]),
  forward: (model) => model.forward({ inputIds: [5, 9, 1] }),
  'a batcher': async (model) => {
    const batcher = createBatcher(model, { batchSize: 2 });
    const requests = [0, 1, 2, 3, 4].map(() => batcher.translate(text, { numBeams: 2 }));
    return Promise.all([...requests, drained(batcher.stream(text))]);
  },
};

async function drained(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

/** How a promise ends: the code of its refusal, or 'done'. */
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error) => error.code ?? String(error),
  );

describe.each(Object.entries(uses))('%s', (_, use) => {
  test('is refused after dispose, whatever came before', async () => {
    const fresh = await loadModel(software);
    await fresh.dispose();
    await expect(use(fresh)).rejects.toMatchObject(gone);
    expect(made).toBe(0);
    const used = await loadModel(software);
    await use(used);
    await used.dispose();
    expect(live).toBe(0);
    const before = made;
    await expect(use(used)).rejects.toMatchObject(gone);
    expect(made).toBe(before);
  });

  test.each([1, 3, 6])('ends when the model is disposed in run %i, without a session left', async (run) => {
    const model = await loadModel(software);
    let disposal: Promise<void> | undefined;
    onRun = (now) => {
      if (now === run) disposal = model.dispose();
    };
    const result = await outcome(use(model));
    // Few runs are enough for some.
    disposal ??= model.dispose();
    await disposal;
    expect(live).toBe(0);
    expect(['done', 'MODEL_DISPOSED']).toContain(result);
    if (runs > run) expect(result).toBe('MODEL_DISPOSED');
    await expect(use(model)).rejects.toMatchObject(gone);
  });

  test('ends when the model is disposed before anything is compiled', async () => {
    for (const wait of [0, 10, 60]) {
      const model = await loadModel(software);
      const result = outcome(use(model));
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      await model.dispose();
      expect(live).toBe(0);
      expect(['done', 'MODEL_DISPOSED']).toContain(await result);
      expect(live).toBe(0);
    }
  });
});

describe('dispose', () => {
  test('may be called twice, at the same time or later', async () => {
    const model = await loadModel(software);
    await model.translate([text]);
    await Promise.all([model.dispose(), model.dispose()]);
    await model.dispose();
    expect(live).toBe(0);
  });

  test('frees all though a program could not be compiled', async () => {
    const model = await loadModel(software);
    await model.translate(['Close the file.']);
    const create = () => Promise.reject(new Error('no memory'));
    await setRuntime(
      { ...nodeRuntime, InferenceSession: { create } },
      { mapsFiles: true, writesOutputs: true },
    );
    await expect(model.score([{ source: { text }, target: 'Un.' }])).rejects.toThrow('no memory');
    await expect(model.forward({ inputIds: [5] })).rejects.toThrow('no memory');
    await model.dispose();
    expect(live).toBe(0);
  });

  test('does not wait for a stream that nobody reads, which then ends', async () => {
    const model = await loadModel(software);
    const events = model.stream(text)[Symbol.asyncIterator]();
    expect((await events.next()).done).toBe(false);
    await model.dispose();
    expect(live).toBe(0);
    await expect(events.next()).rejects.toMatchObject(gone);
    expect((await events.next()).done).toBe(true);
  });

  test('refuses what needs no program, too', async () => {
    const model = await loadModel(software);
    const batcher = createBatcher(model);
    await model.dispose();
    await expect(model.translate([])).rejects.toMatchObject(gone);
    await expect(model.translate([' '])).rejects.toMatchObject(gone);
    await expect(model.score([])).rejects.toMatchObject(gone);
    await expect(batcher.translate('')).rejects.toMatchObject(gone);
    await expect(batcher.translate([])).rejects.toMatchObject(gone);
    expect(() => createBatcher(model)).toThrow(expect.objectContaining(gone));
  });

  test('ends vectors of texts', async () => {
    const model = await loadModel(fixture('simbert'));
    const ids = [[5, 9, 1]];
    expect(await embedIds(model, ids)).toHaveLength(1);
    const late = outcome(embedIds(model, [...ids, ...ids, [5, 9]], { batchSize: 1 }));
    await model.dispose();
    expect(['done', 'MODEL_DISPOSED']).toContain(await late);
    await expect(embedIds(model, ids)).rejects.toMatchObject(gone);
    await expect(embedIds(model, [])).rejects.toMatchObject(gone);
  });

  test.each(['float32', 'int8'] as const)('leaves nothing of many loads in %s', async (weightPrecision) => {
    for (let load = 0; load < 24; load++) {
      const model = await loadModel(fixture('marian'), { weightPrecision, cache: false });
      const running = outcome(model.generate([source, source], { numBeams: 2, maxNewTokens: 20 }));
      await new Promise((resolve) => setTimeout(resolve, load * 3));
      await model.dispose();
      expect(live).toBe(0);
      expect(['done', 'MODEL_DISPOSED']).toContain(await running);
      expect(live).toBe(0);
    }
    expect(made).toBeGreaterThan(0);
  });
});

describe('several models', () => {
  test.each([1, 4, 9])('an ensemble ends in run %i with its members', async (run) => {
    const ensemble = await loadEnsemble([fixture('marian'), fixture('marian')]);
    let disposal: Promise<void> | undefined;
    onRun = (now) => {
      if (now === run) disposal = ensemble.dispose();
    };
    const running = ensemble.generate([source], { numBeams: 2, maxNewTokens: 20, minNewTokens: 20 });
    await expect(running).rejects.toMatchObject(gone);
    await disposal;
    expect(live).toBe(0);
    await expect(ensemble.generate([source])).rejects.toMatchObject(gone);
    await expect(ensemble.score([{ source, target: [5, 8] }])).rejects.toMatchObject(gone);
    await expect(drained(ensemble.stream(source))).rejects.toMatchObject(gone);
    await ensemble.dispose();
  });

  test('a disposed model drafts for none, and the other goes on', async () => {
    const [model, assistantModel] = [await loadModel(software), await loadModel(software)];
    await assistantModel.dispose();
    const options = { numBeams: 1, assistantModel };
    await expect(model.generate([{ text }], options)).rejects.toMatchObject(gone);
    expect(await model.translate(['Close the file.'])).toHaveLength(1);
    await model.dispose();
  });
});
