import { PolybeamError } from '../errors.js';
import {
  requireFunction,
  requireObject,
  requireObjects,
  requireOptionNames,
  requireText,
  showValue,
  wrongInput,
} from '../inputs.js';
import type { Model } from '../pretrained/model.js';
import type { ModelInput } from '../pretrained/modelParts.js';
import { isBlank } from '../text/blank.js';

/** An output of a direct model. */
export interface ChannelCandidate {
  text: string;
  /** Log-probability of the output over its length, as `generate` gives it with lengthPenalty 1. */
  score: number;
}

/** How the parts are weighted; all default to the values given. */
export interface ChannelOptions {
  /** Weight of log p(source | output) over the length of the source. Default 1. */
  channelWeight?: number;
  /** Added for each token of the output: above 0 favors long ones. Default 0. */
  lengthWeight?: number;
  /** Pairs scored together. Default 16. */
  batchSize?: number;
}

/** A candidate and its parts, all in nats. */
export interface ChannelScore {
  /** Place among the candidates that were given. */
  index: number;
  score: number;
  /** log p(source | output) over the length of the source in tokens. */
  channel: number;
}

/**
 * Ranks the outputs of a direct model by direct score + channelWeight * log p(source | output) / |source| + lengthWeight
 * * |output|: a model of the other direction says how well each output explains the source (Yee et al. 2019, equation
 * 2, without a language model).
 * @param source the text that was translated
 * @param channel translates outputs back; scores, does not search
 * @returns best first; equals keep their order
 */
export async function noisyChannel(
  source: string,
  candidates: readonly ChannelCandidate[],
  channel: Pick<Model, 'score' | 'tokenizer'>,
  options: ChannelOptions = {},
): Promise<ChannelScore[]> {
  requireText(source, 'source');
  requireObjects(candidates, 'candidates', 'candidates: text and score');
  for (const [at, { text, score }] of candidates.entries()) {
    requireText(text, `candidates[${at}].text`);
    if (typeof score !== 'number' || Number.isNaN(score))
      throw wrongInput(`candidates[${at}].score`, score, 'give a log-probability');
  }
  requireObject(channel, 'channel', 'the functions of a model, as loadModel gives it');
  requireFunction(channel.score, 'channel.score');
  requireOptionNames(options, ['channelWeight', 'lengthWeight', 'batchSize'], 'noisyChannel');
  const { channelWeight = 1, lengthWeight = 0, batchSize } = options;
  for (const [name, value] of Object.entries({ channelWeight, lengthWeight })) {
    if (Number.isFinite(value)) continue;
    throw new PolybeamError('OPTION_INVALID', `Option ${name} cannot be ${showValue(value)}: give a number.`);
  }
  const pairs = candidates.map(({ text }) => ({ source: { text } as ModelInput, target: source }));
  const scores = await channel.score(pairs, { lengthPenalty: 1, batchSize });
  const lengths = await outputLengths(candidates, channel, lengthWeight);
  const ranked = candidates.map(({ score, text }, index) => {
    // Nothing explains nothing.
    const explained = isBlank(text) ? Number.NEGATIVE_INFINITY : scores[index].score;
    return {
      index,
      channel: explained,
      score: score + channelWeight * explained + lengthWeight * lengths[index],
    };
  });
  return ranked.sort((a, b) => b.score - a.score || a.index - b.index);
}

/** Tokens of each output, by the tokenizer that reads them as sources. */
async function outputLengths(
  candidates: readonly ChannelCandidate[],
  { tokenizer }: Pick<Model, 'tokenizer'>,
  lengthWeight: number,
): Promise<number[]> {
  if (lengthWeight === 0) return candidates.map(() => 0);
  // A model without a tokenizer has refused to score text.
  const encoded = await tokenizer!.encodeBatch(candidates.map(({ text }) => text));
  return encoded.map(({ ids }) => ids.length);
}
