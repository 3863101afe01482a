import '../node/install.js';
import { describe, expect, it } from 'vitest';
import {
  createFakeModel,
  hashAttention,
  hashLogits,
  type LogitsFunction,
  logSumExp,
} from '../../test/support/generation/fakeModel.js';
import { decode } from '../../test/support/generation/run.js';
import type { GenerationInput } from '../generation/inputs.js';
import { createJointModel } from '../generation/jointModel.js';
import type { GenerationOptions } from '../generation/options.js';
import type { GeneratedSequence } from '../generation/selector.js';
import type { StepModel } from '../generation/stepModel.js';
import { createEnsemble } from './ensemble.js';

/*
 * Every option that changes what a step returns, with every wrapper of a step model: the outputs are those of a plain model
 * that computes the same distribution, or the option is refused by name.
 */

const vocabSize = 14;
const logits = hashLogits({ vocabSize, eosTokenIds: [1], endBias: 1, seed: 3 });
const fake = (own: LogitsFunction = logits) => createFakeModel(vocabSize, own, undefined, hashAttention);

const offered = [0, 1, 4, 5, 6, 9, 11, 12];
const shortlist = { offsets: Int32Array.of(0), targets: new Int32Array(0), always: Int32Array.from(offered) };

/** Tokens that the shortlist lacks have no probability. */
const masked: LogitsFunction = (source, history) =>
  Array.from(logits(source, history), (logit, id) =>
    offered.includes(id) ? logit : Number.NEGATIVE_INFINITY,
  );

/** What an ensemble of one model and itself computes. */
const normalized =
  (own: LogitsFunction): LogitsFunction =>
  (source, history) => {
    const values = Array.from(own(source, history));
    const sum = logSumExp(values);
    return values.map((value) => value - sum);
  };

const inputs = [
  [5, 6, 7],
  [8, 3],
  [9, 9, 2, 4],
].map((inputIds): GenerationInput => ({ inputIds }));
const withPrefix = inputs.map((input, at): GenerationInput => ({ ...input, prefix: [[4, 6], [5], []][at] }));

const texts = async (outputs: number[][]) => outputs.map((ids) => ids.join(' '));

interface Case {
  name: string;
  options: GenerationOptions;
  given?: readonly GenerationInput[];
}

const searches: Case[] = [
  { name: 'greedy search', options: {} },
  { name: 'beam search', options: { numBeams: 3, numReturnSequences: 3 } },
  { name: 'penalties of beams', options: { numBeams: 2, repetitionPenalty: 1.5, noRepeatNgramSize: 2 } },
  { name: 'own logits', options: { doSample: true, seed: 5, topK: 4, repetitionPenalty: 1.4 } },
  { name: 'every candidate', options: { doSample: true, seed: 6, topK: 0, sequenceBias: [[[5], 1]] } },
  { name: 'constraints', options: { numBeams: 4, numReturnSequences: 2, forceWordsIds: [[4, 5]] } },
  { name: 'allowed sequences', options: { numBeams: 2, allowedSequences: [[4, 5, 6], [9]] } },
  { name: 'groups', options: { numBeams: 4, numBeamGroups: 2, diversityPenalty: 1 } },
  { name: 'forced tokens', options: { numBeams: 2, forcedBosTokenId: 9, forcedEosTokenId: 1 } },
  { name: 'a biased prefix', options: { numBeams: 2, prefixBiasBeta: 0.4 }, given: withPrefix },
  {
    name: 'a scored prefix',
    options: { numBeams: 2, conventions: 'ctranslate2', suppressTokens: [6] },
    given: withPrefix,
  },
  { name: 'alternatives', options: { numReturnSequences: 3, returnAlternatives: true } },
  { name: 'coverage', options: { numBeams: 2, coveragePenalty: 0.5 } },
  { name: 'stop strings', options: { stopStrings: '6', decode: texts } },
  { name: 'contrastive search', options: { penaltyAlpha: 0.5, topK: 3 } },
];

const wishes: Case[] = [
  { name: 'nothing else', options: {} },
  { name: 'returnLogits', options: { returnLogits: true } },
  { name: 'returnAttention', options: { returnAttention: true, alignmentLayer: 1 } },
];

interface Wrapper {
  name: string;
  /** Computes what the wrapped model should. */
  plain: () => StepModel;
  wrapped: () => StepModel;
  options?: GenerationOptions;
  /** Names in messages of refusals that are right. */
  refuses: RegExp;
  /** Largest difference that rounding explains. */
  tolerance?: number;
}

const ensemble = () => createEnsemble([fake(), fake()]);
const drafts = /^promptLookupNumTokens /;

const wrappers: Wrapper[] = [
  {
    name: 'requests that share steps',
    plain: fake,
    wrapped: () => createJointModel(fake()),
    refuses: /$ never/,
  },
  {
    name: 'a shortlist',
    plain: () => fake(masked),
    wrapped: fake,
    options: { shortlist },
    refuses: /$ never/,
  },
  { name: 'drafts', plain: fake, wrapped: fake, options: { promptLookupNumTokens: 3 }, refuses: drafts },
  {
    name: 'an ensemble',
    plain: () => fake(normalized(logits)),
    wrapped: ensemble,
    refuses: /penaltyAlpha/,
    tolerance: 1e-4,
  },
  {
    name: 'an ensemble whose requests share steps',
    plain: () => fake(normalized(logits)),
    wrapped: () => createJointModel(ensemble()),
    refuses: /penaltyAlpha/,
    tolerance: 1e-4,
  },
  {
    name: 'an ensemble with a shortlist',
    plain: () => fake(normalized(masked)),
    wrapped: ensemble,
    options: { shortlist },
    refuses: /penaltyAlpha/,
    tolerance: 1e-4,
  },
];

/** Decodes each input by a call of its own, all at the same time; of a shortlist, all in one batch. */
async function outputs(
  model: StepModel,
  given: readonly GenerationInput[],
  options: GenerationOptions,
): Promise<GeneratedSequence[][]> {
  const results = await Promise.all(
    given.map((input, firstIndex) => decode(model, [input], options, { firstIndex })),
  );
  return results.map(([{ sequences }]) => sequences.map(({ drafts: _, ...sequence }) => sequence));
}

/** Numbers as near as `tolerance`, everything else equal. */
function expectNear(got: unknown, wanted: unknown, tolerance: number, path = ''): void {
  if (typeof wanted === 'number' && typeof got === 'number') {
    const near = got === wanted || Math.abs(got - wanted) <= tolerance;
    if (!near) expect(`${path}: ${got}`).toBe(`${path}: ${wanted}`);
  } else if (wanted !== null && typeof wanted === 'object') {
    expect(Object.keys(got as object), path).toEqual(Object.keys(wanted));
    for (const [key, value] of Object.entries(wanted)) {
      expectNear((got as Record<string, unknown>)[key], value, tolerance, `${path}.${key}`);
    }
  } else expect(got, path).toEqual(wanted);
}

describe.each(wrappers)('$name', ({ plain, wrapped, options: own, refuses, tolerance = 0 }) => {
  const pairs = searches.flatMap((search) => wishes.map((wish) => [search, wish] as const));

  it.each(pairs.map(([search, wish]) => [search.name, wish.name, search, wish] as const))(
    'with %s, and %s',
    async (_, __, { options: searched, given = inputs }, { options: wished }) => {
      const options = { maxNewTokens: 6, ...searched, ...wished };
      const wanted = await outputs(plain(), given, options).catch((error) => error);
      const found = await outputs(wrapped(), given, { ...options, ...own }).catch((error) => error);
      if (found instanceof Error) {
        expect(found).toMatchObject({ code: 'OPTION_CONFLICT' });
        expect(found.message).toMatch(wanted instanceof Error ? wanted.message : refuses);
      } else expectNear(found, wanted, tolerance);
    },
  );
});

it('decodes a shortlist of several inputs without mixing their logits', async () => {
  const options = { maxNewTokens: 5, numBeams: 2, returnLogits: true };
  const found = await decode(fake(), inputs, { ...options, shortlist });
  expect(found).toEqual(await decode(fake(masked), inputs, options));
});
