import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webgpuUnavailable } from '../../test/support/engine/webgpu.js';
import '../node/install.js';
import { deviceTraffic } from '../engine/deviceValues.js';
import type { Device } from '../engine/program.js';
import { generate } from '../generation/generate.js';
import type { GenerationOptions } from '../generation/options.js';
import { resolveGenerationOptions } from '../generation/options.js';
import type { SelectionSpec, StepModel } from '../generation/stepModel.js';
import { loadModel, loadParts } from '../pretrained/loadModel.js';
import type { Model } from '../pretrained/model.js';
import type { ModelParts } from '../pretrained/modelParts.js';

/*
 * Decoding with caches that stay on a device. Eager tfjs keeps them as WebGPU does, so that what the step model does
 * about them is tested everywhere.
 */

const reason = await webgpuUnavailable();
const root = 'test/fixtures/models';
const inputs = [
  { inputIds: [11, 10, 26, 36, 32, 33, 0] },
  { inputIds: [31, 3, 35, 0] },
  { inputIds: [12, 29, 36, 39, 6, 39, 10, 24, 0] },
];

const searches: [string, GenerationOptions][] = [
  ['greedy search', { maxNewTokens: 12 }],
  ['a beam of 4', { numBeams: 4, numReturnSequences: 4, maxNewTokens: 10 }],
  ['two groups', { numBeams: 4, numBeamGroups: 2, diversityPenalty: 0.7, maxNewTokens: 7 }],
  [
    'constraints',
    {
      numBeams: 4,
      forceWordsIds: [
        [9, 12],
        [[20], [21, 22]],
      ],
      maxNewTokens: 9,
    },
  ],
  [
    'repetition controls',
    { numBeams: 2, noRepeatNgramSize: 2, repetitionPenalty: 1.3, minNewTokens: 5, maxNewTokens: 8 },
  ],
];
/** Where a second architecture adds something: distances as a bias of cached attention. */
const models = ['marian', 't5'];

// In software, WebGPU compiles each of its programs for seconds.
describe.each(['tfjs:cpu', 'webgpu'] as Device[])('decoding on %s', { timeout: 300_000 }, (device) => {
  const skip = device === 'webgpu' && reason !== undefined;
  const kept = () => deviceTraffic().values;

  describe.each(models)('%s', (name) => {
    let [cpu, there]: (Model | undefined)[] = [];
    beforeAll(async () => {
      if (skip) return;
      cpu = await loadModel(`${root}/${name}`);
      there = await loadModel(`${root}/${name}`, { device });
    });
    afterAll(async () => {
      await cpu?.dispose();
      await there?.dispose();
    });

    it.skipIf(skip).each(name === 'marian' ? searches : searches.slice(1, 2))(
      'gives by %s what the CPU gives',
      async (_, options) => {
        const before = kept();
        const [wanted, found] = [
          await cpu!.generate(inputs, options),
          await there!.generate(inputs, options),
        ];
        found.forEach(({ sequences }, index) => {
          expect(sequences.map(({ ids }) => ids)).toEqual(wanted[index].sequences.map(({ ids }) => ids));
          sequences.forEach(({ score }, at) => {
            expect(score).toBeCloseTo(wanted[index].sequences[at].score, 3);
          });
        });
        expect(kept()).toBe(before);
      },
    );

    it.skipIf(skip)('scores outputs as the CPU does', async () => {
      const before = kept();
      const targets = [[9, 12, 20, 1], [7], [30, 5, 5]];
      const pairs = inputs.map((source, index) => ({ source, target: targets[index] }));
      const [wanted, found] = [await cpu!.score(pairs), await there!.score(pairs)];
      wanted.forEach(({ score, tokenLogProbabilities }, index) => {
        expect(score).toBeLessThan(-0.1);
        expect(found[index].score).toBeCloseTo(score, 3);
        expect(found[index].tokenLogProbabilities).toHaveLength(targets[index].length);
        tokenLogProbabilities.forEach((logarithm, at) => {
          expect(found[index].tokenLogProbabilities[at]).toBeCloseTo(logarithm, 3);
        });
      });
      expect(kept()).toBe(before);
    });
  });

  describe('a step', () => {
    let parts: ModelParts | undefined;
    let steps: StepModel;
    beforeAll(async () => {
      if (skip) return;
      parts = await loadParts(`${root}/marian`, { device });
      steps = parts.generation!.steps;
    });
    afterAll(() => parts?.dispose());

    const [batch, source, beams, layers, candidates] = [3, 4, 2, 2, 4];
    const selection: SelectionSpec = {
      candidates,
      edits: 'none',
      repetitionPenalty: 1,
      penaltySpace: 'logits',
      renormalize: false,
      rescale: false,
      allowed: false,
      ownLogits: false,
    };
    const start = () =>
      steps.start({
        source: {
          inputIds: new Int32Array(batch * source).fill(5),
          attentionMask: new Int32Array(batch * source).fill(1),
          batch,
          source,
        },
        prompt: new Int32Array(batch).fill(71),
        promptLength: 1,
        beams,
        maxLength: 40,
        selection,
      });
    /** Ids and logits of each row's candidates, and its log-sum-exp. */
    const read = (rows: number) => rows * (candidates * 8 + 4);
    /** Tokens, position and ancestry. */
    const fed = (rows: number, capacity: number) => 4 * (rows + 1 + rows * capacity);

    it.skipIf(skip)('sends a few integers and receives candidates, and nothing else crosses', async () => {
      const before = kept();
      let last = deviceTraffic();
      const crossed = () => {
        const now = deviceTraffic();
        const found = { sent: now.sent - last.sent, received: now.received - last.received };
        last = now;
        return found;
      };
      const { state } = await start();
      // The source and its mask for the encoder, the mask again for steps; sizes of the caches; rows of the beams.
      const begin = 4 * (3 * batch * source + batch + 32 + batch * beams);
      expect(crossed()).toEqual({ sent: begin + fed(batch, 32), received: read(batch) });
      // Keys and values of both attentions in each layer, and the mask.
      expect(kept() - before).toBe(layers * 4 + 1);
      const ancestry = new Int32Array(batch * beams * 40);
      const step = (position: number, sentences: number) =>
        steps.step(state, { tokens: new Int32Array(sentences * beams).fill(7), position, ancestry });
      await step(1, batch);
      expect(crossed()).toEqual({ sent: fed(batch * beams, 32), received: read(batch * beams) });
      await steps.keep(state, [0, 2]);
      expect(crossed()).toEqual({ sent: 4 * (2 * beams + 2), received: 0 });
      for (let position = 2; position < 32; position++) await step(position, 2);
      crossed();
      await step(32, 2);
      // The cache grows from 32 to 40 positions.
      expect(crossed()).toEqual({ sent: 4 * 8 + fed(2 * beams, 40), received: read(2 * beams) });
      expect(kept() - before).toBe(layers * 4 + 1);
      steps.dispose(state);
      expect(kept()).toBe(before);
    });

    it.skipIf(skip)('leaves nothing behind where the search fails or is aborted', async () => {
      const before = kept();
      const search = (model: StepModel, options: GenerationOptions = {}) => {
        const { defaults, rules } = parts!.generation!;
        const resolved = resolveGenerationOptions({ numBeams: 2, maxNewTokens: 6, ...options }, defaults);
        return generate(model, inputs, resolved, rules);
      };
      const atStep = (count: number, what: () => void): StepModel => {
        let taken = 0;
        return {
          ...steps,
          step: async (state, feed) => {
            if (++taken === count) what();
            return steps.step(state, feed);
          },
        };
      };
      const fail = () => {
        expect(kept()).toBeGreaterThan(before);
        throw new Error('a broken cable');
      };
      await expect(search(atStep(2, fail))).rejects.toThrow('a broken cable');
      expect(kept()).toBe(before);
      const controller = new AbortController();
      const aborted = search(
        atStep(2, () => controller.abort()),
        { signal: controller.signal },
      );
      await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
      expect(kept()).toBe(before);
      // A start that fails when it reads the prompt: the edits that it announced are missing.
      await expect(
        steps.start({
          source: { inputIds: Int32Array.of(5), attentionMask: Int32Array.of(1), batch: 1, source: 1 },
          prompt: Int32Array.of(71),
          promptLength: 1,
          beams,
          maxLength: 4,
          selection: { ...selection, lookup: true },
        }),
      ).rejects.toMatchObject({ code: 'FEED_INVALID' });
      expect(kept()).toBe(before);
    });
  });
});
