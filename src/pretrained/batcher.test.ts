import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../node/install.js';
import type { GenerationOptions } from '../generation/options.js';
import { createBatcher } from './batcher.js';
import { loadEnsemble } from './loadEnsemble.js';
import { loadModel } from './loadModel.js';
import { type Model, modelParts } from './model.js';
import type { ModelOutput } from './modelOutput.js';
import type { StreamEvent } from './modelStream.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel('test/fixtures/models/marian');
});
afterAll(() => model.dispose());

const inputs = Array.from({ length: 12 }, (_, at) => ({
  inputIds: [...Array.from({ length: 1 + (at % 5) }, (_, i) => 3 + ((at * 7 + i * 5) % 60)), 0],
}));
const searches: GenerationOptions[] = [
  { numBeams: 1, maxNewTokens: 8 },
  { numBeams: 3, maxNewTokens: 6 },
  { numBeams: 3, maxNewTokens: 9, numReturnSequences: 2 },
  { numBeams: 1, doSample: true, seed: 4, maxNewTokens: 7 },
  { numBeams: 3, maxNewTokens: 7, noRepeatNgramSize: 2, repetitionPenalty: 1.3 },
  { numBeams: 2, maxNewTokens: 5, returnLogits: true, returnAttention: true },
  { numBeams: 1, maxNewTokens: 6, penaltyAlpha: 0.5, topK: 3 },
];
const optionsOf = (at: number) => searches[at % searches.length];

/** The same outputs; numbers but for what products of other sizes round otherwise. */
function expectSame(got: ModelOutput, wanted: ModelOutput): void {
  expect(got.sequences.map(({ ids }) => ids)).toEqual(wanted.sequences.map(({ ids }) => ids));
  got.sequences.forEach(({ score, logits, attention }, at) => {
    expect(Math.abs(score - wanted.sequences[at].score)).toBeLessThan(1e-5);
    expectNear(logits, wanted.sequences[at].logits);
    expectNear(attention, wanted.sequences[at].attention);
  });
}

/** Rows of numbers that differ by rounding at most. */
function expectNear(
  got: readonly Float32Array[] | undefined,
  wanted: readonly Float32Array[] | undefined,
): void {
  expect(got?.map(({ length }) => length)).toEqual(wanted?.map(({ length }) => length));
  const furthest = (got ?? []).flatMap((row, at) =>
    Array.from(row, (value, i) => Math.abs(value - wanted![at][i])),
  );
  expect(Math.max(0, ...furthest)).toBeLessThan(1e-4);
}

async function alone(at: number): Promise<ModelOutput> {
  return (await model.generate([inputs[at]], optionsOf(at)))[0];
}

describe('createBatcher', () => {
  test('gives each request what it gets alone, each with its own options', async () => {
    const batcher = createBatcher(model, { batchSize: 5 });
    const outputs = inputs.map((input, at) => batcher.generate(input, optionsOf(at)));
    expect([batcher.running, batcher.waiting]).toEqual([5, 7]);
    for (const [at, output] of (await Promise.all(outputs)).entries()) expectSame(output, await alone(at));
    expect([batcher.running, batcher.waiting]).toEqual([0, 0]);
  });

  test('serves an ensemble, T5 and a model that continues texts', async () => {
    const ensemble = await loadEnsemble([
      'test/fixtures/models/marian',
      'test/fixtures/models/marian-sharded',
    ]);
    const t5 = await loadModel('test/fixtures/models/t5');
    const gpt2 = await loadModel('test/fixtures/models/gpt2');
    for (const one of [ensemble, t5, gpt2]) {
      const batcher = createBatcher(one);
      const options = { numBeams: 2, maxNewTokens: 7 };
      const some = inputs
        .slice(0, 4)
        .map(({ inputIds }) => ({ inputIds: inputIds.slice(0, -1).map((id) => id % 40) }));
      const outputs = await Promise.all(
        some.map(async (input, at) => {
          for (let turn = 0; turn < at; turn++) await new Promise((resolve) => setImmediate(resolve));
          return batcher.generate(input, options);
        }),
      );
      for (const [at, output] of outputs.entries())
        expectSame(output, (await one.generate([some[at]], options))[0]);
      await one.dispose();
    }
  });

  test('gives long and short requests what each gets alone, when long ones leave and others come', async () => {
    const t5 = await loadModel('test/fixtures/models/t5');
    const gpt2 = await loadModel('test/fixtures/models/gpt2');
    for (const one of [model, t5, gpt2]) {
      const batcher = createBatcher(one, { batchSize: 3 });
      const some = inputs.map(({ inputIds }, at) => {
        const length = [24, 5, 15, 9][at % 4];
        const options = { numBeams: 2, minNewTokens: length, maxNewTokens: length };
        return { input: { inputIds: inputIds.slice(0, -1).map((id) => id % 40) }, options };
      });
      const outputs = some.map(({ input, options }) => batcher.generate(input, options));
      for (const [at, output] of (await Promise.all(outputs)).entries())
        expectSame(output, (await one.generate([some[at].input], some[at].options))[0]);
      if (one !== model) await one.dispose();
    }
  });

  test('streams each request, at the pace of its reader, while others go on', async () => {
    const batcher = createBatcher(model);
    const events: StreamEvent[] = [];
    const reading = (async () => {
      for await (const event of batcher.stream(inputs[1], optionsOf(1))) {
        events.push(event);
        await new Promise((resolve) => setTimeout(resolve, 8));
      }
    })();
    expectSame(await batcher.generate(inputs[2], optionsOf(2)), await alone(2));
    await reading;
    const wanted = await alone(1);
    expect(events.flatMap(({ ids }) => ids)).toEqual(wanted.sequences[0].ids);
    expectSame(events.at(-1)?.output as ModelOutput, wanted);
    expect(batcher.running).toBe(0);
  });

  test('decodes streams that nobody reads to their ends, and keeps their events', async () => {
    const batcher = createBatcher(model, { batchSize: 3, maxReaderTime: 0.02 });
    const given = { numBeams: 2, minNewTokens: 8, maxNewTokens: 8 };
    const readers = inputs.slice(0, 7).map((input) => batcher.stream(input, given)[Symbol.asyncIterator]());
    // Each reader asks for one event, and for no more.
    const first = readers.map((reader) => reader.next());
    await Promise.all(first.slice(0, 3));
    expect([batcher.running, batcher.waiting]).toEqual([3, 4]);
    expectSame(
      await batcher.generate(inputs[8], optionsOf(8)),
      (await model.generate([inputs[8]], optionsOf(8)))[0],
    );
    for (const [at, reader] of readers.entries()) {
      const events = [(await first[at]).value as StreamEvent];
      for (let next = await reader.next(); !next.done; next = await reader.next()) events.push(next.value);
      const [wanted] = await model.generate([inputs[at]], given);
      expect(events.flatMap(({ ids }) => ids)).toEqual(wanted.sequences[0].ids);
      expectSame(events.at(-1)?.output as ModelOutput, wanted);
    }
    expect([batcher.running, batcher.waiting]).toEqual([0, 0]);
  });

  test('decodes a list in turns with other requests, as the model does', async () => {
    const batcher = createBatcher(model, { batchSize: 4, maxWaiting: 3 });
    const bulk = Array.from({ length: 60 }, (_, at) => inputs[at % inputs.length]);
    const drawn = { numBeams: 1, doSample: true, seed: 3, maxNewTokens: 6 };
    let answered = false;
    const list = batcher.generate(bulk, drawn).finally(() => {
      answered = true;
    });
    expect([batcher.running, batcher.waiting]).toEqual([2, 0]);
    expectSame(await batcher.generate(inputs[1], optionsOf(1)), await alone(1));
    expect(answered).toBe(false);
    // Numbers are drawn by an input's place in the list.
    const wanted = await model.generate(bulk, drawn);
    for (const [at, output] of (await list).entries()) expectSame(output, wanted[at]);
    expect(await batcher.generate([])).toEqual([]);
  });

  test('draws a list to the prefixes that some of its inputs have, as the model does', async () => {
    const batcher = createBatcher(model);
    const list = [{ ...inputs[1], prefix: [50, 60] }, inputs[2]];
    const options = { numBeams: 3, maxNewTokens: 6, prefixBiasBeta: 0.5 };
    const wanted = await model.generate(list, options);
    const got = await batcher.generate(list, options);
    wanted.forEach((one, at) => {
      expectSame(got[at], one);
    });
    await expect(batcher.generate(inputs.slice(2), options)).rejects.toMatchObject({
      code: 'OPTION_CONFLICT',
    });
  });

  test('checks what is asked of an empty list, and refuses what it would ignore', async () => {
    const batcher = createBatcher(model);
    expect(await batcher.generate([])).toEqual([]);
    for (const options of [
      { firstIndex: 3 },
      { batchSize: 2 },
      { onProgress: () => {} },
      { prefixes: ['a'] },
      { nonsense: 1 },
    ] as object[]) {
      const refused = { code: 'OPTION_UNKNOWN' };
      await expect(batcher.generate([], options)).rejects.toMatchObject(refused);
      await expect(batcher.translate([inputs[0]], options)).rejects.toMatchObject(refused);
      await expect(batcher.stream(inputs[0], options)[Symbol.asyncIterator]().next()).rejects.toMatchObject(
        refused,
      );
    }
  });

  test('stops the rest of a list where one of it fails, and nothing else', async () => {
    const batcher = createBatcher(model, { batchSize: 4, window: 3 });
    const bulk = [...inputs.slice(0, 6), { inputIds: [9999] }, ...inputs];
    const other = batcher.generate(inputs[3], optionsOf(3));
    const failing = batcher.generate(bulk, { numBeams: 2, minNewTokens: 20, maxNewTokens: 20 });
    await expect(failing).rejects.toMatchObject({ code: 'INPUT_INVALID', message: /Input 7/ });
    expectSame(await other, await alone(3));
    expect([batcher.running, batcher.waiting]).toEqual([0, 0]);
    const controller = new AbortController();
    const left = batcher.generate(inputs, { ...optionsOf(1), signal: controller.signal });
    controller.abort();
    await expect(left).rejects.toMatchObject({ code: 'ABORTED' });
    expect([batcher.running, batcher.waiting]).toEqual([0, 0]);
  });

  test('makes room when a reader leaves, or a signal says so, running or waiting', async () => {
    const batcher = createBatcher(model, { batchSize: 1 });
    const iterator = batcher.stream(inputs[0], optionsOf(0))[Symbol.asyncIterator]();
    await iterator.next();
    const controller = new AbortController();
    const waiting = batcher.generate(inputs[1], { ...optionsOf(1), signal: controller.signal });
    const stream = batcher.stream(inputs[2], optionsOf(2)).toReadableStream().getReader();
    const event = stream.read();
    const last = batcher.generate(inputs[3], optionsOf(3));
    await new Promise((resolve) => setTimeout(resolve));
    expect([batcher.running, batcher.waiting]).toEqual([1, 3]);
    controller.abort('enough');
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    await stream.cancel();
    expect((await event).done).toBe(true);
    expect([batcher.running, batcher.waiting]).toEqual([1, 1]);
    await iterator.return?.();
    expectSame(await last, await alone(3));
    expect([batcher.running, batcher.waiting]).toEqual([0, 0]);
  });

  test('refuses what it may not let wait, and wrong options of a request alone', async () => {
    const batcher = createBatcher(model, { batchSize: 2, maxWaiting: 1 });
    const requests = [0, 1, 2, 3].map((at) => batcher.generate(inputs[at], optionsOf(at)));
    await expect(requests[3]).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    for (const at of [0, 1, 2]) expectSame(await requests[at], await alone(at));
    await expect(batcher.generate(inputs[0], { numBeams: 0 })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
    await expect(batcher.generate({ inputIds: [9999] })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(batcher.translate('a')).rejects.toMatchObject({ code: 'TOKENIZER_MISSING' });
    expect(batcher.running).toBe(0);
    for (const options of [{ batchSize: 0 }, { maxWaiting: -1 }, { window: 0.5 }, { maxReaderTime: -1 }]) {
      expect(() => createBatcher(model, options)).toThrow(/OPTION_INVALID|cannot be/);
    }
    expect(() => createBatcher(model, { batchsize: 4 } as object)).toThrow('did you mean batchSize?');
  });

  test('finishes all requests but those that make a step fail', async () => {
    const batcher = createBatcher(model);
    const good = inputs.slice(0, 10);
    const unknown = 99999;
    const kinds: [GenerationOptions, GenerationOptions][] = [
      [{ badWordsIds: [[7, 8]] }, { badWordsIds: [[7, unknown]] }],
      [{ sequenceBias: [[[7, 8], -1]] }, { sequenceBias: [[[7, unknown], -1]] }],
    ];
    for (const [fine, broken] of kinds) {
      const common = { numBeams: 3, maxNewTokens: 8, forcedBosTokenId: 7 };
      const requests = good.map((input) => batcher.generate(input, { ...common, ...fine }));
      const failing = batcher.generate(inputs[1], { ...common, ...broken });
      const late = batcher.generate(inputs[10], { ...common, ...fine });
      await expect(failing).rejects.toThrow();
      for (const [at, request] of [...requests, late].entries())
        expectSame(await request, (await model.generate([inputs[at]], { ...common, ...fine }))[0]);
    }
    expect([batcher.running, batcher.waiting]).toEqual([0, 0]);
  });

  test('refuses contrastive search where the model itself gives no hidden states', async () => {
    const ensemble = await loadEnsemble([model.directory, model.directory]);
    const contrastive = { numBeams: 1, penaltyAlpha: 0.5, topK: 3 };
    for (const one of [
      createBatcher(ensemble).generate(inputs[0], contrastive),
      ensemble.generate([inputs[0]], contrastive),
    ]) {
      await expect(one).rejects.toMatchObject({ code: 'OPTION_CONFLICT', message: /an ensemble, say/ });
    }
    await ensemble.dispose();
  });

  test('needs a model that generates', async () => {
    const encoder = await loadModel('test/fixtures/models/bert');
    expect(() => createBatcher(encoder)).toThrow(/cannot generate/);
    await encoder.dispose();
    expect(model[modelParts].directory).toBe(model.directory);
  });
});

test('translates texts as the model does', async () => {
  const translator = await loadModel('models/en-fr-software');
  const batcher = createBatcher(translator);
  const texts = ['This package contains the documentation.', '', 'Free software is a matter of liberty.'];
  const options = { to: 'fr', maxNewTokens: 12 };
  const translations = await Promise.all(texts.map((text) => batcher.translate(text, options)));
  expect(translations).toEqual(await translator.translate(texts, options));
  expect(await batcher.translate(texts, options)).toEqual(translations);
  await translator.dispose();
});
