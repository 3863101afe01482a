import { z } from 'zod';
import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import { type DenoisingRow, denoisingBatch, denoisingLoss } from './denoisingLoss.js';
import { type Draws, poisson, shuffle } from './draws.js';
import { chooseMasked, replaceToken } from './masking.js';
import type { Example, PretrainingObjective } from './objective.js';
import { replacementSchema } from './optionPieces.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

const rate = z.number().min(0).max(1);

/**
 * BART's denoising (Lewis et al. 2020, section 2.2): the encoder reads a corrupted text, the decoder writes the text as it was.
 */
export const bartOptionsSchema = z.strictObject({
  permuteSentences: rate
    .default(1)
    .describe('Probability that the sentences of a text are permuted; sentences end at . ! or ?.'),
  rotate: rate
    .default(0)
    .describe('Probability that a text is rotated to begin at a random token (document rotation).'),
  infillRate: rate
    .default(0.3)
    .describe('Share of the tokens replaced by text infilling: each span of them becomes one [MASK].'),
  poissonLambda: z
    .number()
    .gt(0)
    .default(3)
    .describe('Mean length of the spans of text infilling; a span of length 0 inserts a [MASK].'),
  maskRate: rate.default(0).describe('Share of the tokens corrupted one by one (token masking).'),
  replacement: replacementSchema
    .default({ mask: 1, keep: 0, random: 0 })
    .describe('What replaces the tokens chosen by token masking.'),
  deleteRate: rate.default(0).describe('Share of the tokens that are left out (token deletion).'),
  wholeWord: z.boolean().default(false).describe('Token masking chooses whole words.'),
});

/** Options of BART's denoising with every default filled in. */
export type BartOptions = z.output<typeof bartOptionsSchema>;

type Facts = VocabularyFacts & { decoderStartTokenId: number };

/** BART's denoising as an objective; corruptions happen in the order of the options. */
export function bart(
  model: EncoderDecoder,
  facts: Facts,
  options: BartOptions,
  labelSmoothing = 0,
): PretrainingObjective {
  return {
    reads: 'text',
    loss: denoisingLoss(model, labelSmoothing),
    // Spans of no tokens add a [MASK] each, of which a text of n tokens has rarely more than two; see `corruptText`.
    extraTokens: facts.prefix.length + facts.suffix.length + 2,
    batch: (examples, lengthMultiple) =>
      denoisingBatch(
        examples.map((example) => bartRow(example, facts, options)),
        facts,
        lengthMultiple,
      ),
  };
}

/** The corrupted text, and the whole text to be written. */
export function bartRow({ ids, draws }: Example, facts: Facts, options: BartOptions): DenoisingRow {
  const text = Array.from(ids);
  const labels = [...text, ...facts.suffix];
  return {
    source: [...facts.prefix, ...corruptText(text, options, facts, draws), ...facts.suffix],
    decoderInput: [facts.decoderStartTokenId, ...labels.slice(0, -1)],
    labels,
  };
}

/** All corruptions that the options ask for. At most two tokens more than there were come out. */
export function corruptText(
  text: readonly number[],
  options: BartOptions,
  facts: VocabularyFacts,
  draws: Draws,
): number[] {
  let ids = [...text];
  if (draws.uniform() < options.permuteSentences) ids = permuteSentences(ids, facts, draws);
  if (draws.uniform() < options.rotate) ids = rotate(ids, draws);
  if (options.infillRate > 0) ids = infill(ids, options, facts, draws).slice(0, text.length + 2);
  if (options.maskRate > 0) ids = maskTokens(ids, options, facts, draws);
  if (options.deleteRate > 0) ids = deleteTokens(ids, options.deleteRate, draws);
  return ids;
}

/** Sentences in random order; a sentence ends with a token that ends in a full stop, ! or ?. */
export function permuteSentences(
  ids: readonly number[],
  { endsSentence }: Pick<VocabularyFacts, 'endsSentence'>,
  draws: Draws,
): number[] {
  const sentences: number[][] = [[]];
  for (const id of ids) {
    sentences[sentences.length - 1].push(id);
    if (endsSentence[id]) sentences.push([]);
  }
  return shuffle(sentences, draws).flat();
}

/** The text from a random token on, then what was before it. */
export function rotate(ids: readonly number[], draws: Draws): number[] {
  const first = draws.below(Math.max(1, ids.length));
  return [...ids.slice(first), ...ids.slice(0, first)];
}

/**
 * Spans with lengths from a Poisson distribution become one [MASK] each until `infillRate` of the tokens is gone; every way to
 * lay the spans and the other tokens beside each other is equally likely.
 */
export function infill(
  ids: readonly number[],
  { infillRate, poissonLambda }: Pick<BartOptions, 'infillRate' | 'poissonLambda'>,
  { maskTokenId }: Pick<VocabularyFacts, 'maskTokenId'>,
  draws: Draws,
): number[] {
  const wanted = Math.round(ids.length * infillRate);
  const spans: number[] = [];
  for (let covered = 0; covered < wanted; ) {
    // The last span is cut, so that the share is met.
    const length = Math.min(poisson(poissonLambda, draws), wanted - covered);
    spans.push(length);
    covered += length;
  }
  // A place is a span (its length) or one token (-1).
  const kept = new Array<number>(ids.length - wanted).fill(-1);
  const places = shuffle([...spans, ...kept], draws);
  const result: number[] = [];
  let at = 0;
  for (const span of places) {
    result.push(span < 0 ? ids[at] : maskTokenId);
    at += span < 0 ? 1 : span;
  }
  return result;
}

function maskTokens(
  ids: readonly number[],
  { maskRate, wholeWord, replacement }: BartOptions,
  facts: VocabularyFacts,
  draws: Draws,
): number[] {
  const choice = { rate: maskRate, wholeWord, ngramShare: 0, maxNgram: 2 };
  const result = [...ids];
  for (const at of chooseMasked(ids, 0, ids.length, choice, facts, draws)) {
    result[at] = replaceToken(ids[at], replacement, facts, draws);
  }
  return result;
}

/** Leaves each token out with probability `deleteRate`; one token stays. */
export function deleteTokens(ids: readonly number[], deleteRate: number, draws: Draws): number[] {
  const kept = ids.filter(() => draws.uniform() >= deleteRate);
  return kept.length > 0 || ids.length === 0 ? kept : [ids[draws.below(ids.length)]];
}
