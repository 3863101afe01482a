import type { TrainOptions } from '../../training/train.js';
import type { Validation } from '../../training/trainer.js';
import type { TrainStep } from '../../training/trainStep.js';
import { readLanguageLines } from '../languageLines.js';
import type { XlmPretrainConfig } from './config.js';
import { tokenizeLanguages } from './data.js';
import type { Lane } from './lanes.js';
import { lanesOf, type MixedXlmObjective } from './mixture.js';
import type { XlmContext } from './objective.js';

/** What validation works with. */
export interface ValidationParts {
  context: XlmContext;
  mixture: readonly MixedXlmObjective[];
  step: TrainStep;
}

/**
 * Perplexity and accuracy of each objective on held-out text of each language, masked alike each time. What decides is the mean
 * over all of the negative log-likelihood per token, each language counting alike; undefined where there is no held-out text.
 */
export async function validateByLanguage(
  config: XlmPretrainConfig,
  { context, mixture, step }: ValidationParts,
  options: TrainOptions,
): Promise<(() => Promise<Validation>) | undefined> {
  const { validation: texts, validationPairs } = config.data;
  if (!texts && !validationPairs) return undefined;
  const held = await tokenizeLanguages(
    await readLanguageLines(texts, validationPairs, options),
    context.tokenizer,
    context.endToken,
    config.data,
  );
  const { maxRows } = config.validation;
  const data = {
    ...held,
    streams: new Map([...held.streams].map(([language, rows]) => [language, rows.slice(0, maxRows)])),
    pairs: held.pairs.map((one) => ({ ...one, pairs: one.pairs.slice(0, maxRows) })),
  };
  const reads = new Set([texts && 'streams', validationPairs && 'pairs']);
  const own = mixture.filter(({ objective }) => reads.has(objective.reads));
  const batching = { ...config.batch, alpha: 1, seed: config.seed, shuffle: false };
  const lanes = lanesOf(data, own, context.languages, batching);
  return async () => {
    const values: Record<string, number> = {};
    const losses: number[] = [];
    for (const lane of lanes) losses.push(await evaluateLane(step, lane, values));
    const loss = losses.reduce((sum, one) => sum + one, 0) / losses.length;
    return { score: loss, values: { loss, ...values } };
  };
}

/** Negative log-likelihood per token; puts it as perplexity, and measures per token, among the values. */
async function evaluateLane(
  step: TrainStep,
  { name, batches }: Lane,
  values: Record<string, number>,
): Promise<number> {
  const epoch = batches.epoch(0);
  const sums = { nll: 0, tokens: 0, correct: 0 };
  for (let index = 0; index < epoch.count; index++) {
    const { nllSum, targetTokens, measures } = await step.evaluate(epoch.build(index));
    sums.nll += nllSum;
    sums.tokens += targetTokens;
    sums.correct += measures.correct;
  }
  const loss = sums.nll / sums.tokens;
  values[`${name} perplexity`] = Math.exp(loss);
  values[`${name} accuracy`] = sums.correct / sums.tokens;
  return loss;
}
