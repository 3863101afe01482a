import type { Tokenizer } from '../../text/tokenizer.js';
import type { EpochBatches } from '../../training/batching.js';
import { evaluateLoss } from '../../training/evaluateLoss.js';
import { scoreTexts } from '../../training/metrics.js';
import type { TrainBatch, TrainStep } from '../../training/trainStep.js';
import type { Validate } from '../../training/validate.js';
import type { ValidationMetric } from './config.js';
import { type Direction, directionName } from './languageCodes.js';
import type { LiveTranslator } from './liveTranslator.js';

/** Held-out texts of a language: as they are written, and as ids. */
export interface HeldOutTexts {
  lines: readonly string[];
  ids: readonly ArrayLike<number>[];
}

/** What a translator is validated on. */
export interface TranslationHeldOut {
  step: TrainStep;
  translator: LiveTranslator;
  tokenizer: Tokenizer;
  metric: ValidationMetric;
  lowercase: boolean;
  /** Directions in which texts go, and come back the other way. */
  roundTrips: readonly Direction[];
  texts: ReadonlyMap<string, HeldOutTexts>;
  /** Parallel texts, each scored in both directions. */
  pairs: readonly { direction: Direction; source: HeldOutTexts; target: HeldOutTexts }[];
  /** Damaged texts, where the loss decides. */
  losses?: EpochBatches<TrainBatch | Promise<TrainBatch>>;
}

/**
 * Validation of a step's present weights by greedy translations. Round trips need no parallel text (Lample et al. 2018, section 3.3): BLEU
 * of what came back against the text that went. A model that copies has perfect round trips; `copied` tells, the BLEU of a translation
 * against the text itself, and what decides is the round trip less its copied share.
 */
export function validateTranslator(heldOut: TranslationHeldOut): Validate {
  return async (signal) => {
    const values: Record<string, number> = {};
    try {
      if (heldOut.losses) Object.assign(values, await evaluateLoss(heldOut.step, heldOut.losses));
      await addRoundTrips(heldOut, values, signal);
      await addBleu(heldOut, values, signal);
    } catch (error) {
      if (signal?.aborted) return undefined;
      throw error;
    }
    return { score: values[heldOut.metric], values };
  };
}

async function addRoundTrips(
  heldOut: TranslationHeldOut,
  values: Record<string, number>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const scores: number[] = [];
  for (const { from, to } of heldOut.roundTrips) {
    const texts = heldOut.texts.get(from);
    if (!texts) continue;
    const there = await heldOut.translator.translate(texts.ids, { from, to }, {}, { signal });
    const back = await heldOut.translator.translate(there, { from: to, to: from }, {}, { signal });
    const trip = await bleu(heldOut, back, texts.lines);
    const copied = await bleu(heldOut, there, texts.lines);
    values[`roundTrip ${from}-${to}-${from}`] = trip;
    values[`copied ${from}-${to}`] = copied;
    scores.push(trip * (1 - copied / 100));
  }
  if (scores.length > 0) values.roundTrip = mean(scores);
}

async function addBleu(
  heldOut: TranslationHeldOut,
  values: Record<string, number>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const scores: number[] = [];
  for (const { direction, source, target } of heldOut.pairs) {
    const back = { from: direction.to, to: direction.from };
    for (const [way, texts, references] of [
      [direction, source, target],
      [back, target, source],
    ] as const) {
      const written = await heldOut.translator.translate(texts.ids, way, {}, { signal });
      scores.push(await bleu(heldOut, written, references.lines));
      values[`bleu ${directionName(way)}`] = scores[scores.length - 1];
    }
  }
  if (scores.length > 0) values.bleu = mean(scores);
}

async function bleu(
  { tokenizer, lowercase }: TranslationHeldOut,
  ids: readonly (readonly number[])[],
  references: readonly string[],
): Promise<number> {
  const texts = await tokenizer.decodeBatch(ids);
  return scoreTexts('bleu', texts, references, { lowercase }).bleu;
}

function mean(scores: readonly number[]): number {
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}
