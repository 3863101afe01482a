import { z } from 'zod';
import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import { type DenoisingRow, denoisingBatch, denoisingLoss } from './denoisingLoss.js';
import type { Draws } from './draws.js';
import { replaceToken } from './masking.js';
import type { Example, PretrainingObjective } from './objective.js';
import { replacementSchema, share } from './optionPieces.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

/**
 * MASS (Song et al. 2019): the encoder reads a text with one contiguous fragment masked, the decoder writes that fragment and
 * nothing else.
 */
export const massOptionsSchema = z.strictObject({
  fragmentShare: share
    .default(0.5)
    .describe(
      'Tokens in the fragment, as a share of the text (k / m in the paper, section 3.1; rounded, at least 1).',
    ),
  fragmentLength: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Tokens in the fragment (k), instead of a share. 1 is masked language modelling. Texts with fewer tokens are left out, and counted.',
    ),
  blockSize: z
    .int()
    .min(2)
    .optional()
    .describe(
      'For documents: one fragment in each block of this many tokens, as the official summarization code does with 64. Default: one for the whole text.',
    ),
  startRule: z
    .strictObject({
      start: z.number().min(0).max(1).describe('At the beginning of the text.'),
      end: z.number().min(0).max(1).describe('At the end of the text.'),
      random: z.number().min(0).max(1).describe('Anywhere, with equal probability.'),
    })
    .refine(({ start, end, random }) => Math.abs(start + end + random - 1) < 1e-6, {
      message: 'the three shares must add up to 1',
    })
    .default({ start: 0.2, end: 0.2, random: 0.6 })
    .describe("Probabilities of the fragment's positions; the defaults are those of the official code."),
  replacement: replacementSchema
    .prefault({})
    .describe("What replaces the tokens of the fragment in the encoder's input."),
});

/** Options of MASS with every default filled in. */
export type MassOptions = z.output<typeof massOptionsSchema>;

/** A fragment: positions `start` (included) to `end` (excluded). */
export interface Fragment {
  start: number;
  end: number;
}

/**
 * MASS as an objective. The decoder's tokens keep the positions they have in the text, it reads the true token before each of
 * the fragment's, and its cross-attention is blind to positions where the encoder reads [MASK] (official code).
 */
export function mass(
  model: EncoderDecoder,
  facts: VocabularyFacts & { decoderStartTokenId: number },
  options: MassOptions,
  labelSmoothing = 0,
): PretrainingObjective {
  return {
    reads: 'text',
    loss: denoisingLoss(model, labelSmoothing),
    extraTokens: facts.prefix.length + facts.suffix.length,
    accepts: (length) => fitsMass(length + facts.suffix.length, options),
    batch: (examples, lengthMultiple) =>
      denoisingBatch(
        examples.map((example) => massRow(example, facts, options)),
        facts,
        lengthMultiple,
      ),
  };
}

/** Whether a text of this many tokens (the end token included) is long enough for its fragment. */
export function fitsMass(length: number, { fragmentLength, blockSize }: MassOptions): boolean {
  return (
    length >= 1 && (fragmentLength === undefined || fragmentLength <= Math.min(length, blockSize ?? length))
  );
}

/** What encoder and decoder read of one text. */
export function massRow(
  { ids, draws }: Example,
  facts: VocabularyFacts & { decoderStartTokenId: number },
  options: MassOptions,
): DenoisingRow {
  const { prefix, suffix, maskTokenId } = facts;
  const text = [...prefix, ...Array.from(ids), ...suffix];
  const source = [...text];
  const decoderInput: number[] = [];
  const positions: number[] = [];
  const labels: number[] = [];
  // What stands before the text, [CLS] above all, is never masked: position 0 is there for the decoder's start token.
  for (const { start, end } of chooseFragments(text.length - prefix.length, options, draws)) {
    for (let at = start; at < end; at++) {
      const place = at + prefix.length;
      source[place] = replaceToken(text[place], options.replacement, facts, draws);
      decoderInput.push(at === 0 ? facts.decoderStartTokenId : text[place - 1]);
      positions.push(at);
      labels.push(text[place]);
    }
  }
  const visible = source.map((id) => (id === maskTokenId ? 0 : 1));
  return { source, visible, decoderInput, positions, labels };
}

/** The fragments of a text of `length` tokens: one, or one in each block. A last block too short for its fragment has none. */
export function chooseFragments(length: number, options: MassOptions, draws: Draws): Fragment[] {
  const { fragmentShare, fragmentLength, blockSize = length } = options;
  const fragments: Fragment[] = [];
  for (let block = 0; block < length; block += blockSize) {
    const size = Math.min(blockSize, length - block);
    const tokens = fragmentLength ?? Math.max(1, Math.round(size * fragmentShare));
    if (tokens > size) continue;
    const start = block + chooseStart(size - tokens, options, draws);
    fragments.push({ start, end: start + tokens });
  }
  return fragments;
}

/** 0 to `last`: where in its text or block the fragment begins. */
function chooseStart(last: number, { startRule }: MassOptions, draws: Draws): number {
  const at = draws.uniform();
  if (at < startRule.start) return 0;
  if (at < startRule.start + startRule.end) return last;
  return draws.below(last + 1);
}
