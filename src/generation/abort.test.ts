import { expect, it } from 'vitest';
import { createFakeModel } from '../../test/support/generation/fakeModel.js';
import { decode, fakeRules, idsOf } from '../../test/support/generation/run.js';
import type { GenerationOptions } from './options.js';

/** A model that never ends and computes for `milliseconds` without giving way. */
function busyModel(milliseconds: number) {
  return createFakeModel(6, () => {
    for (const end = performance.now() + milliseconds; performance.now() < end; );
    return [0, -9, 1, 2, 1, 0];
  });
}

const searches: GenerationOptions[] = [{}, { numBeams: 2 }, { doSample: true, seed: 1 }];

it.each(searches)('ends a search that never gives way, and frees the model, with %j', async (options) => {
  const model = busyModel(2);
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error('enough')), 30);
  const running = decode(model, [[2], [3]], { ...options, maxNewTokens: 5000, signal: controller.signal });
  await expect(running).rejects.toMatchObject({
    code: 'ABORTED',
    cause: expect.objectContaining({ message: 'enough' }),
  });
  clearTimeout(timer);
  expect(model.log.alive).toBe(0);
  expect(model.log.steps.length).toBeLessThan(1000);
});

it('does not even ask the model where the signal is aborted before', async () => {
  const model = busyModel(0);
  const signal = AbortSignal.abort();
  await expect(decode(model, [[2]], { signal })).rejects.toMatchObject({ code: 'ABORTED' });
  expect(model.log.starts).toEqual([]);
});

it('changes nothing where the signal stays silent', async () => {
  const signal = new AbortController().signal;
  for (const options of searches) {
    const plain = await decode(busyModel(0), [[2], [3]], options);
    expect(await decode(busyModel(3), [[2], [3]], { ...options, signal })).toEqual(plain);
  }
});

it.each(searches)('ends a batch after maxTime with what it has, with %j', async (options) => {
  const limited = { ...options, maxNewTokens: 2000, maxTime: 0.5, minNewTokens: 2000 };
  const [first, second] = await decode(busyModel(2), [[2], [3]], limited);
  for (const { sequences } of [first, second]) {
    expect(sequences[0].ids.length).toBeGreaterThan(1);
    expect(sequences[0].ids.length).toBeLessThan(500);
    expect(sequences[0].tokenLogProbabilities).toHaveLength(sequences[0].ids.length);
  }
});

it('gives every input at least one token, however little the time', async () => {
  const rules = { ...fakeRules, forcedBosTokenId: 4 };
  const results = await decode(busyModel(0), [[2], [3], [4]], { maxTime: 1e-9 }, { batchSize: 1 }, rules);
  expect(idsOf(results)).toEqual([[[4]], [[4]], [[4]]]);
});
