import { z } from 'zod';
import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import { type DenoisingRow, denoisingBatch, denoisingLoss } from './denoisingLoss.js';
import { chooseMasked, replaceToken } from './masking.js';
import { chooseFragments } from './mass.js';
import type { Example, PretrainingObjective } from './objective.js';
import { replacementSchema, share } from './optionPieces.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

/** Supervised MASS (Song et al. 2019, official code): the source has a fragment masked, the decoder writes the whole target. */
export const supervisedMassOptionsSchema = z.strictObject({
  fragmentShare: share.default(0.5).describe('Length of the masked fragment, as a share of the source.'),
  decoderMaskRate: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("Share of the decoder's input tokens that are masked, so that it must attend to the source."),
  replacement: replacementSchema.prefault({}).describe('What replaces masked tokens, on both sides.'),
});

/** Options of supervised MASS with every default filled in. */
export type SupervisedMassOptions = z.output<typeof supervisedMassOptionsSchema>;

type Facts = VocabularyFacts & { decoderStartTokenId: number };

/** Supervised MASS as an objective over pairs. */
export function supervisedMass(
  model: EncoderDecoder,
  facts: Facts,
  options: SupervisedMassOptions,
  labelSmoothing = 0,
): PretrainingObjective {
  return {
    reads: 'pairs',
    loss: denoisingLoss(model, labelSmoothing),
    extraTokens: facts.prefix.length + facts.suffix.length,
    batch: (examples, lengthMultiple) =>
      denoisingBatch(
        examples.map((example) => supervisedMassRow(example, facts, options)),
        facts,
        lengthMultiple,
      ),
  };
}

/** The source with its fragment masked, and the whole target behind partly masked tokens. */
export function supervisedMassRow(
  { ids, pair = [], draws }: Example,
  facts: Facts,
  options: SupervisedMassOptions,
): DenoisingRow {
  const { prefix, suffix, decoderStartTokenId, maskTokenId } = facts;
  const source = [...prefix, ...Array.from(ids), ...suffix];
  const fragmentOptions = { ...options, startRule: { start: 0.2, end: 0.2, random: 0.6 } };
  for (const { start, end } of chooseFragments(source.length - prefix.length, fragmentOptions, draws)) {
    for (let at = start + prefix.length; at < end + prefix.length; at++) {
      source[at] = replaceToken(source[at], options.replacement, facts, draws);
    }
  }
  const labels = [...Array.from(pair), ...suffix];
  const decoderInput = [decoderStartTokenId, ...labels.slice(0, -1)];
  if (options.decoderMaskRate > 0 && decoderInput.length > 1) {
    const choice = { rate: options.decoderMaskRate, wholeWord: false, ngramShare: 0, maxNgram: 2 };
    for (const at of chooseMasked(decoderInput, 1, decoderInput.length, choice, facts, draws)) {
      decoderInput[at] = replaceToken(decoderInput[at], options.replacement, facts, draws);
    }
  }
  const visible = source.map((id) => (id === maskTokenId ? 0 : 1));
  return { source, visible, decoderInput, labels };
}
