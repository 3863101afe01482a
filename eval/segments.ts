import { PolybeamError } from '../src/errors.js';
import { requireList, showValue } from '../src/inputs.js';

/** A reference that a segment may lack; the signature then says `nrefs:var`. An empty string is a reference. */
export type Reference = string | null | undefined;

/** One hypothesis and the references that it has. */
export interface Segment {
  hypothesis: string;
  references: string[];
}

/**
 * Pairs hypotheses with their references.
 *
 * @param references one list per reference translation, each as long as `hypotheses`: `references[r][line]`
 * @returns the segments, and how many references each has, or 'var' where that differs
 * @throws INPUT_INVALID for no lines, no references, lists of different lengths, or a line without any reference
 */
export function pairSegments(
  hypotheses: readonly string[],
  references: readonly (readonly Reference[])[],
): { segments: Segment[]; references: number | 'var' } {
  requireList(hypotheses, 'hypotheses', 'texts');
  requireList(references, 'references', 'lists of texts, one for each reference translation');
  if (hypotheses.length === 0) {
    throw new PolybeamError('INPUT_INVALID', 'There are no hypotheses to score: give at least one line.');
  }
  if (references.length === 0) {
    throw new PolybeamError('INPUT_INVALID', 'There are no references: give at least one list of lines.');
  }
  for (const [r, lines] of references.entries()) {
    // A bare string is an array of characters to an untyped caller, and would be scored.
    if (!Array.isArray(lines)) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `Reference ${r + 1} is not a list of lines: pass [[line, ...]].`,
      );
    }
    if (lines.length !== hypotheses.length) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `Reference ${r + 1} has ${lines.length} lines and the hypothesis has ${hypotheses.length}: ` +
          'every line needs its counterpart.',
      );
    }
  }
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  const segments = hypotheses.map((hypothesis, line) => {
    const present = references.map((lines) => lines[line]).filter((text): text is string => text != null);
    for (const text of [hypothesis, ...present]) {
      if (typeof text !== 'string') {
        throw new PolybeamError(
          'INPUT_INVALID',
          `Line ${line + 1} has ${showValue(text)} for a text: pass strings.`,
        );
      }
    }
    if (present.length === 0) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `Line ${line + 1} has no reference: give at least one, or remove the line.`,
      );
    }
    least = Math.min(least, present.length);
    most = Math.max(most, present.length);
    return { hypothesis, references: present };
  });
  return { segments, references: least === most ? least : 'var' };
}
