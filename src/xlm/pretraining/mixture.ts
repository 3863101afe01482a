import { PolybeamError } from '../../errors.js';
import { createDraws } from '../../pretraining/draws.js';
import {
  type Batches,
  type BatchingOptions,
  createBatches,
  type TokenPair,
} from '../../training/batching.js';
import { hashString, threefry } from '../../training/random.js';
import { languageShares } from '../jointVocabulary.js';
import type { TokenizedData } from './data.js';
import type { Lane } from './lanes.js';
import type { Language, MakeBatch, XlmObjective } from './objective.js';
import { pairEnds } from './tlm.js';

/** One objective of a mixture. */
export interface MixedXlmObjective {
  /** Unique in the mixture; the name of its task. */
  name: string;
  /** Share of the updates, beside the weights of the others. */
  weight: number;
  objective: XlmObjective;
}

/** How lanes are batched and weighed. */
export type LaneOptions = Pick<
  BatchingOptions,
  'seed' | 'maxTokens' | 'sortWindow' | 'lengthMultiple' | 'shuffle'
> & {
  /** Shares of languages are in proportion to tokens^alpha. */
  alpha: number;
};

/** Texts of a lane: rows of one language, or pairs of two. */
interface LaneTexts {
  name: string;
  languages: string[];
  tokens: number;
  examples: readonly TokenPair[];
  /** Length of each example's row. */
  lengthOf(example: TokenPair): number;
}

/**
 * One lane for each objective and each language, or pair of languages, that it can learn from.
 * @throws INPUT_INVALID for an objective that can learn from none
 */
export function lanesOf(
  data: TokenizedData,
  mixture: readonly MixedXlmObjective[],
  languages: ReadonlyMap<string, Language>,
  options: LaneOptions,
): Lane[] {
  const total = mixture.reduce((sum, { weight }) => sum + weight, 0);
  return mixture.flatMap(({ name, weight, objective }) => {
    const usable = textsOf(data, objective.reads).flatMap((texts) => {
      const make = objective.batches(texts.languages.map((code) => languages.get(code)!));
      return make ? [{ texts, make }] : [];
    });
    if (usable.length === 0) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `The objective ${name} has no text to learn from: give ${objective.reads === 'pairs' ? 'parallel text' : 'running text'} in the languages it is for.`,
      );
    }
    const shares = languageShares(
      usable.map(({ texts }) => texts.tokens),
      options.alpha,
    );
    return usable.map(
      ({ texts, make }, at): Lane => ({
        name: `${name}/${texts.name}`,
        texts: `${objective.reads}/${texts.name}`,
        share: (weight / total) * shares[at],
        batches: batchesOf(`${name}/${texts.name}`, name, texts, make, options),
      }),
    );
  });
}

function textsOf({ streams, pairs }: TokenizedData, reads: XlmObjective['reads']): LaneTexts[] {
  if (reads === 'streams') {
    return [...streams].map(([language, rows]) => ({
      name: language,
      languages: [language],
      tokens: rows.reduce((sum, { length }) => sum + length, 0),
      examples: rows.map((ids): TokenPair => ({ source: ids, target: ids })),
      lengthOf: ({ source }) => source.length,
    }));
  }
  return pairs.map(({ from, to, pairs: all }) => ({
    name: `${from}-${to}`,
    languages: [from, to],
    tokens: all.reduce((sum, { source, target }) => sum + source.length + target.length, 0),
    examples: all,
    lengthOf: ({ source, target }) => source.length + target.length + pairEnds,
  }));
}

function batchesOf(
  name: string,
  task: string,
  { examples, lengthOf, languages }: LaneTexts,
  make: MakeBatch,
  options: LaneOptions,
): Batches {
  const words = new Uint32Array(2);
  threefry(options.seed, hashString(name), 0, 0, words);
  // Rows of a stream have one length: there is nothing to pad.
  const lengthMultiple = languages.length === 1 ? 1 : options.lengthMultiple;
  // Batches are cut by the lengths of rows, and know which examples they are of.
  const rows = examples.map((example): TokenPair => {
    const row = { length: lengthOf(example) };
    return { source: row, target: row };
  });
  const batching = { ...options, seed: words[0], lengthMultiple, maxLength: Number.POSITIVE_INFINITY };
  return createBatches(rows, batching, ({ members, epoch }) => ({
    ...make(
      members.map((member) => ({
        ids: examples[member].source,
        pair: examples[member].target,
        draws: createDraws(options.seed, name, epoch, member),
      })),
      lengthMultiple,
    ),
    task,
  }));
}
