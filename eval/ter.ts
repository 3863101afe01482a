import { z } from 'zod';
import { requireTexts } from '../src/inputs.js';
import { type LineStatistics, sumRows } from './lineStatistics.js';
import { readOptions } from './options.js';
import { makeSignature, type Score } from './score.js';
import { pairSegments, type Reference, type Segment } from './segments.js';
import type { TerOptions } from './ter.types.js';
import { countEdits } from './tercom.js';
import { tokenizeTercom } from './tokenizeTercom.js';

export type { TerOptions };

/** Options of TER; the defaults are those of sacreBLEU. */
export const terOptionsSchema = z.strictObject({
  normalized: z
    .boolean()
    .default(false)
    .describe('Split off punctuation and decode entities such as &quot;.'),
  noPunct: z.boolean().default(false).describe('Remove punctuation.'),
  asianSupport: z
    .boolean()
    .default(false)
    .describe('With normalized or noPunct: treat Chinese and Japanese characters and punctuation too.'),
  caseSensitive: z.boolean().default(false).describe('Keep case.'),
});

type ResolvedOptions = z.output<typeof terOptionsSchema>;

/** Translation edit rate with the numbers that it is made of; lower is better, and 100 may be exceeded. */
export interface TerScore extends Score {
  name: 'TER';
  /** Insertions, deletions, substitutions and shifts of all lines. */
  numEdits: number;
  /** Words of the references, the mean of several. */
  refLength: number;
}

/**
 * Corpus translation edit rate (Snover et al. 2006), equal to sacreBLEU 2.6, which follows Tercom: the edits that turn each
 * hypothesis into its nearest reference, moving a run of words being one edit, by the words of the references, in percent.
 *
 * @param hypotheses one line per segment, not tokenized
 * @param references one list per reference translation, `references[r][line]`; a line may lack some (null)
 * @throws INPUT_INVALID for missing or unpaired lines; OPTION_UNKNOWN, OPTION_INVALID
 */
export function corpusTer(
  hypotheses: readonly string[],
  references: readonly (readonly Reference[])[],
  options: TerOptions = {},
): TerScore {
  const statistics = terStatistics(hypotheses, references, options);
  const [numEdits, refLength] = sumRows(statistics.rows);
  return {
    name: 'TER',
    score: statistics.score([numEdits, refLength]),
    signature: statistics.signature(),
    numEdits,
    refLength,
  };
}

/** TER of one sentence against its reference translations; options as in `corpusTer`. */
export function sentenceTer(
  hypothesis: string,
  references: readonly string[],
  options: TerOptions = {},
): TerScore {
  requireTexts(references, 'references');
  return corpusTer(
    [hypothesis],
    references.map((text) => [text]),
    options,
  );
}

/** Edits and reference length of each line; arguments and errors as `corpusTer`. */
export function terStatistics(
  hypotheses: readonly string[],
  references: readonly (readonly Reference[])[],
  options: TerOptions = {},
): LineStatistics {
  const resolved = readOptions(terOptionsSchema, options, 'TER');
  const paired = pairSegments(hypotheses, references);
  return {
    name: 'TER',
    higherIsBetter: false,
    rows: paired.segments.map((segment) => rowOf(segment, resolved)),
    score: (sums) => rate(sums[0], sums[1]),
    signature: (...fields) =>
      makeSignature(paired.references, [
        ...fields,
        ['case', resolved.caseSensitive ? 'mixed' : 'lc'],
        ['tok', 'tercom'],
        ['norm', resolved.normalized ? 'yes' : 'no'],
        ['punct', resolved.noPunct ? 'no' : 'yes'],
        ['asian', resolved.asianSupport ? 'yes' : 'no'],
      ]),
  };
}

/** The fewest edits to any reference, and the mean length of all. */
function rowOf(segment: Segment, options: ResolvedOptions): [edits: number, length: number] {
  const hypothesis = tokenizeTercom(segment.hypothesis, options);
  let edits = Number.POSITIVE_INFINITY;
  let length = 0;
  for (const text of segment.references) {
    // sacreBLEU normalizes references twice, and the second time finds a possessive that the first made visible: "90's,".
    const reference = tokenizeTercom(tokenizeTercom(text, options).join(' '), options);
    edits = Math.min(edits, countEdits(hypothesis, reference));
    length += reference.length;
  }
  return [edits, length / segment.references.length];
}

function rate(edits: number, length: number): number {
  if (length > 0) return 100 * (edits / length);
  return edits > 0 ? 100 : 0;
}
