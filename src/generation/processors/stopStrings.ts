import { trace } from '../backPointers.js';
import type { ResolvedGenerationOptions } from '../options.js';
import type { SearchContext, Selector } from '../selector.js';
import type { Candidates } from '../stepModel.js';

/** Detects `stopStrings` in outputs. The decoder prompt is not searched. */
export interface Stopper {
  /**
   * Which candidates would complete a stop string; computed before they are ranked.
   *
   * @param rows of each sentence in `candidates`
   * @returns 1 where one would. [rows of all sentences, width]
   */
  marks(candidates: Candidates, rows: number): Promise<Uint8Array>;
  /** Ends the rows of independent selectors that have just completed a stop string. @returns slots that are finished */
  endRows(selector: Selector, count: number): Promise<number[]>;
}

/** A stopper for `stopStrings` and the caller's `decode`; undefined where there is nothing to stop at. */
export function createStopper(context: SearchContext): Stopper | undefined {
  const { frontier, pointers, options } = context;
  const skipped = context.prefix?.length ?? 0;
  const strings = stopStringList(options);
  if (strings.length === 0) return undefined;
  const decode = options.decode as NonNullable<ResolvedGenerationOptions['decode']>;
  const stops = async (outputs: number[][]) =>
    (await decode(outputs)).map((text) => strings.some((string) => text.includes(string)));

  return {
    marks: async ({ ids, logits, width }, rows) => {
      const places: number[] = [];
      const outputs: number[][] = [];
      for (let row = 0; row < frontier.active * rows; row++) {
        const slot = Math.floor(row / rows);
        if (frontier.finished[slot]) continue;
        const begun = trace(pointers, frontier.nodes[slot * frontier.beams + (row % rows)]).ids;
        for (let at = row * width; at < (row + 1) * width; at++) {
          if (logits[at] === Number.NEGATIVE_INFINITY) continue;
          places.push(at);
          outputs.push([...begun, ids ? ids[at] : at % width].slice(skipped));
        }
      }
      const marks = new Uint8Array(logits.length);
      (await stops(outputs)).forEach((stopped, i) => {
        marks[places[i]] = Number(stopped);
      });
      return marks;
    },
    endRows: async (selector, count) => {
      const open: [slot: number, sample: number][] = [];
      for (let slot = 0; slot < frontier.active; slot++) {
        for (let sample = 0; sample < frontier.beams; sample++) {
          if (!frontier.finished[slot] && selector.isOpen?.(slot, sample)) open.push([slot, sample]);
        }
      }
      const nodes = open.map(([slot, sample]) => frontier.nodes[slot * frontier.beams + sample]);
      const stopped = await stops(nodes.map((node) => trace(pointers, node).ids));
      return open
        .filter(([slot, sample], i) => stopped[i] && selector.end?.(slot, sample, count))
        .map(([slot]) => slot);
    },
  };
}

/** `stopStrings` as a list. */
export function stopStringList({
  stopStrings = [],
}: Pick<ResolvedGenerationOptions, 'stopStrings'>): string[] {
  return [stopStrings].flat();
}
