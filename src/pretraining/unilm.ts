import { z } from 'zod';
import type { PrefixParts } from '../decoder/prefixLm.js';
import { PolybeamError } from '../errors.js';
import type { Draws } from './draws.js';
import { chooseMasked, type MaskChoice, type Replacement, replaceToken } from './masking.js';
import type { Example, PretrainingObjective } from './objective.js';
import { maskChoiceSchema, replacementSchema } from './optionPieces.js';
import { type StackRow, stackBatch, stackLoss } from './stackLoss.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

const weight = z.number().min(0);

/** UniLM (Dong et al. 2019): masked tokens are predicted under four visibilities of one stack, which tells them by segments. */
export const unilmOptionsSchema = maskChoiceSchema.extend({
  ngramShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe('Share of the choices that are n-grams instead of single tokens (or words); section 2.4: 0.2.'),
  mixture: z
    .strictObject({
      bidirectional: weight.default(2).describe('Each position attends to all.'),
      sequenceToSequence: weight
        .default(2)
        .describe('The source attends to itself; the target to the source and to the tokens before it.'),
      leftToRight: weight.default(1).describe('Each position attends to itself and to those before it.'),
      rightToLeft: weight.default(1).describe('Each position attends to itself and to those after it.'),
    })
    .refine((weights) => Object.values(weights).some((one) => one > 0), { message: 'one must be above 0' })
    .prefault({})
    .describe('Weights of the kinds of rows; section 2.4: 1/3, 1/3, 1/6, 1/6.'),
  segments: z
    .strictObject({
      bidirectional: z.tuple([z.int().min(0), z.int().min(0)]).describe('Of the two parts.'),
      leftToRight: z.int().min(0),
      rightToLeft: z.int().min(0),
    })
    .optional()
    .describe(
      'Segment ids by kind; the model decodes with those of sequenceToSequence. Default: 0 and 1, 2, 3 as in the official ' +
        'code if the model has six, otherwise 0 and 1, 0, 0.',
    ),
  replacement: replacementSchema.prefault({}).describe('What replaces the tokens to predict.'),
});

/** Options of UniLM with every default filled in. */
export type UnilmOptions = z.output<typeof unilmOptionsSchema>;

/** A visibility. */
export type UnilmKind = keyof UnilmOptions['mixture'];

/** Segments that rows have. */
type Segments = NonNullable<UnilmOptions['segments']> & { sequenceToSequence: readonly [number, number] };

/**
 * UniLM as an objective over running text: each row gets its kind anew in each epoch. Two-part rows cut the text at a random
 * place. There is no next-sentence prediction.
 * @throws CONFIG_INVALID where the model reads its next token elsewhere, or lacks a segment
 */
export function unilm(
  prefix: PrefixParts,
  facts: VocabularyFacts,
  options: UnilmOptions,
  labelSmoothing = 0,
): PretrainingObjective {
  const segments = segmentsOf(prefix, options);
  const { prefix: before, suffix: behind } = facts;
  return {
    reads: 'text',
    loss: stackLoss(prefix.stack, labelSmoothing),
    extraTokens: before.length + 2 * behind.length,
    inOneRow: true,
    accepts: (length) => length >= 2,
    batch: (examples, lengthMultiple) =>
      stackBatch(
        examples.map((example) => unilmRow(example, facts, options, segments)),
        facts,
        lengthMultiple,
      ),
  };
}

function segmentsOf({ config, typeVocabSize }: PrefixParts, { segments }: UnilmOptions): Segments {
  if (config.nextToken !== 'mask') {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `unilm trains models that read the next token at a [MASK], and next_token is ${config.nextToken}: set polybeam.prefix_lm.next_token to mask in config.json.`,
    );
  }
  const second = typeVocabSize > 1 ? 1 : 0;
  const [leftToRight, rightToLeft] = typeVocabSize >= 6 ? [2, 3] : [0, 0];
  const own = segments ?? { bidirectional: [0, second] as [number, number], leftToRight, rightToLeft };
  const largest = Math.max(...own.bidirectional, own.leftToRight, own.rightToLeft);
  if (largest >= Math.max(1, typeVocabSize)) {
    throw new PolybeamError(
      'CONFIG_INVALID',
      `unilm: segments has ${largest}, and the model knows ${typeVocabSize} segments: give numbers below that.`,
    );
  }
  return { ...own, sequenceToSequence: [config.sourceTypeId, config.targetTypeId] };
}

/** A row of a kind that is drawn. The text has two tokens or more. */
export function unilmRow(
  { ids, draws }: Example,
  facts: VocabularyFacts,
  options: UnilmOptions,
  segments: Segments,
): StackRow {
  const kind = chooseKind(options.mixture, draws);
  const text = Array.from(ids);
  const { prefix, suffix } = facts;
  if (kind === 'leftToRight' || kind === 'rightToLeft') {
    const whole = [...prefix, ...text, ...suffix];
    // A text that is written ends by being told so; one that is read from its end does not begin that way.
    const end = kind === 'leftToRight' ? whole.length : prefix.length + text.length;
    const row = visibleRow(whole, whole.length, segments[kind], segments[kind], kind);
    return maskRow(row, [[prefix.length, end]], facts, options, draws);
  }
  const cut = 1 + draws.below(text.length - 1);
  const first = [...prefix, ...text.slice(0, cut), ...suffix];
  const whole = [...first, ...text.slice(cut), ...suffix];
  const end = kind === 'sequenceToSequence' ? whole.length : whole.length - suffix.length;
  const [one, other] = segments[kind];
  const row = visibleRow(whole, first.length, one, other, kind);
  const parts: [number, number][] = [
    [prefix.length, prefix.length + cut],
    [first.length, end],
  ];
  return maskRow(row, parts, facts, options, draws);
}

function chooseKind(mixture: UnilmOptions['mixture'], draws: Draws): UnilmKind {
  const kinds = Object.entries(mixture) as [UnilmKind, number][];
  let at = draws.uniform() * kinds.reduce((sum, [, share]) => sum + share, 0);
  for (const [kind, share] of kinds) {
    at -= share;
    if (at < 0) return kind;
  }
  return kinds.filter(([, share]) => share > 0).at(-1)![0];
}

/**
 * Who reads whom.
 * @param cut where the second part begins
 * @param first, second their segments
 */
export function visibleRow(
  inputIds: number[],
  cut: number,
  first: number,
  second: number,
  kind: UnilmKind,
): StackRow {
  const length = inputIds.length;
  const until = {
    bidirectional: () => length,
    rightToLeft: () => length,
    leftToRight: (at: number) => at + 1,
    sequenceToSequence: (at: number) => Math.max(cut, at + 1),
  }[kind];
  return {
    inputIds,
    tokenTypeIds: inputIds.map((_, at) => (at < cut ? first : second)),
    from: inputIds.map((_, at) => (kind === 'rightToLeft' ? at : 0)),
    until: inputIds.map((_, at) => until(at)),
    labelPositions: [],
    labels: [],
  };
}

/** Masks tokens of some parts of a row, given as first and behind the last position; they become its labels. */
export function maskRow(
  row: StackRow,
  parts: readonly (readonly [from: number, to: number])[],
  facts: Pick<VocabularyFacts, 'startsWord' | 'maskTokenId' | 'ordinary'>,
  options: MaskChoice & { replacement: Replacement },
  draws: Draws,
): StackRow {
  const labelPositions = parts.flatMap(([from, to]) =>
    chooseMasked(row.inputIds, from, to, options, facts, draws),
  );
  const inputIds = [...row.inputIds];
  for (const at of labelPositions) {
    inputIds[at] = replaceToken(inputIds[at], options.replacement, facts, draws);
  }
  return { ...row, inputIds, labelPositions, labels: labelPositions.map((at) => row.inputIds[at]) };
}
