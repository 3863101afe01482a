import { trace } from './backPointers.js';
import { createLengthScore } from './processors/lengthScore.js';
import type { GeneratedSequence, SearchContext, Selector } from './selector.js';

/** The progress of one output during the search. */
export interface OutputProgress {
  /** Index of the input in the caller's list. */
  index: number;
  /** Number of the sample; 0 in beam search, whose progress is that of the best output. */
  sequence: number;
  /**
   * Tokens that have become final since the last event: those that all remaining hypotheses share. All of
   * an output's together are its `ids`; the decoder prompt, without the decoder start token, comes first.
   */
  ids: number[];
  /** The tokens after them in the best hypothesis so far; the next step may change them. */
  tentativeIds: number[];
  /** Whether the output is complete. */
  ended: boolean;
  /** All outputs of the input, with the last progress of its last output. */
  sequences?: GeneratedSequence[];
}

/** Receives each step's progress, one entry for each unfinished output; the search waits for it. */
export type ProgressListener = (progress: OutputProgress[]) => Promise<void>;

/**
 * Reports the progress of a search. Token histories are traced at each step, but only if a listener
 * is given.
 *
 * @param outputs of a finished sentence
 * @returns the progress after new token number `count` was chosen and finished sentences were marked
 */
export function createProgress(
  context: SearchContext,
  selector: Selector,
  outputs: (sentence: number) => GeneratedSequence[],
): (count: number) => OutputProgress[] {
  const { frontier, batch, sentenceIds } = context;
  /** Number of final tokens of each output that were reported. */
  const told = new Int32Array(batch * frontier.beams).fill(-1);
  const done = new Uint8Array(batch);
  const follow = selector.isOpen ? followSamples(context, selector) : followBeams(context, selector);

  function report(sentence: number, { sequence, settled, open, ended }: Followed): OutputProgress {
    const at = sentence * frontier.beams + sequence;
    const prompt = told[at] < 0 ? givenBeginning(context, sentence) : [];
    const ids = [...prompt, ...settled.slice(Math.max(0, told[at]))];
    told[at] = settled.length;
    return { index: sentenceIds[sentence], sequence, ids, tentativeIds: open, ended };
  }

  return (count) => {
    const all: OutputProgress[] = [];
    for (let slot = 0; slot < frontier.active; slot++) {
      const sentence = frontier.sentences[slot];
      if (done[sentence]) continue;
      const finished = frontier.finished[slot] === 1;
      const reports = follow(slot, finished, count).map((one) => report(sentence, one));
      if (finished) {
        done[sentence] = 1;
        Object.assign(reports[reports.length - 1], { sequences: outputs(sentence) });
      }
      all.push(...reports);
    }
    return all;
  };
}

/** The given beginning of a sentence's outputs, without the decoder start token. */
export function givenBeginning({ prompt, rules, batch }: SearchContext, sentence: number): number[] {
  const length = prompt.length / batch;
  const row = Array.from(prompt.subarray(sentence * length, (sentence + 1) * length));
  return row[0] === rules.decoderStartTokenId ? row.slice(1) : row;
}

/** New tokens of an output: those that stay, and those that may. */
interface Followed {
  sequence: number;
  settled: number[];
  open: number[];
  ended: boolean;
}

type Follow = (slot: number, finished: boolean, count: number) => Followed[];

/** Every token of an independent row is final. Finished rows are reported once, when they end. */
function followSamples({ frontier, pointers }: SearchContext, selector: Selector): Follow {
  const samples = frontier.beams;
  const past = new Set<number>();
  return (slot, finished) => {
    const first = frontier.sentences[slot] * samples;
    const rows: Followed[] = [];
    for (let sample = 0; sample < samples; sample++) {
      if (past.has(first + sample)) continue;
      const ended = finished || !selector.isOpen?.(slot, sample);
      if (ended) past.add(first + sample);
      const { ids } = trace(pointers, frontier.nodes[slot * samples + sample]);
      rows.push({ sequence: sample, settled: ids, open: [], ended });
    }
    return rows;
  };
}

/**
 * The best output continues an open hypothesis, or is the best finished one so far. Tokens that all these share
 * are final. Tokens are compared, not back-pointers, since groups of beams have their own.
 */
function followBeams({ frontier, pointers, options }: SearchContext, selector: Selector): Follow {
  const { beams } = frontier;
  const lengthScore = createLengthScore(options);
  return (slot, finished, count) => {
    const first = selector.outputs(frontier.sentences[slot])[0];
    let best = first ? trace(pointers, first.node).ids : [];
    if (finished) return [{ sequence: 0, settled: best, open: [], ended: true }];
    let bestScore = first ? first.score : Number.NEGATIVE_INFINITY;
    let shared = first && best;
    for (let row = slot * beams; row < (slot + 1) * beams; row++) {
      const sum = frontier.scores[row];
      if (sum === Number.NEGATIVE_INFINITY) continue;
      const { ids } = trace(pointers, frontier.nodes[row]);
      shared = shared ? commonBeginning(shared, ids) : ids;
      const score = lengthScore.of(sum, count);
      if (score > bestScore) {
        best = ids;
        bestScore = score;
      }
    }
    const settled = shared ?? [];
    return [{ sequence: 0, settled, open: best.slice(settled.length), ended: false }];
  };
}

function commonBeginning(a: readonly number[], b: readonly number[]): number[] {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}
