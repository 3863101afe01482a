import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCellList } from '../cellList.js';
import { advancePosition, createFrontier, type Frontier, park, removeFinished } from '../frontier.js';
import { createNgramBlocker } from './noRepeatNgram.js';
import { listPenalized } from './repetitionPenalty.js';

/** Bans by definition: the last tokens of all n-grams of `ids` that begin with its last n-1 tokens. */
function bannedByDefinition(ids: readonly number[], n: number): Set<number> {
  const suffix = ids.slice(ids.length - n + 1).join(' ');
  const banned = new Set<number>();
  if (ids.length < n) return banned;
  for (let start = 0; start + n <= ids.length; start++) {
    const prefix = ids.slice(start, start + n - 1).join(' ');
    if (n === 1 || prefix === suffix) banned.add(ids[start + n - 1]);
  }
  return banned;
}

interface Plan {
  n: number;
  beams: number;
  prompts: number[][];
  /** Per step and row: parent and token. */
  steps: [number, number][][];
  /** Step before which sentence 0 leaves. */
  leaves: number;
}

const plans: fc.Arbitrary<Plan> = fc
  .record({
    n: fc.integer({ min: 1, max: 4 }),
    beams: fc.integer({ min: 1, max: 4 }),
    promptLength: fc.integer({ min: 1, max: 6 }),
    length: fc.integer({ min: 1, max: 25 }),
  })
  .chain(({ n, beams, promptLength, length }) => {
    const token = fc.integer({ min: 0, max: 3 });
    const choice = fc.tuple(fc.integer({ min: 0, max: beams - 1 }), token);
    return fc.record({
      n: fc.constant(n),
      beams: fc.constant(beams),
      prompts: fc.array(fc.array(token, { minLength: promptLength, maxLength: promptLength }), {
        minLength: 2,
        maxLength: 2,
      }),
      steps: fc.array(fc.array(choice, { minLength: 2 * beams, maxLength: 2 * beams }), {
        minLength: length,
        maxLength: length,
      }),
      leaves: fc.integer({ min: 1, max: 30 }),
    });
  });

/** Drives a frontier through the plan and shows it, with plainly copied histories, to `visit` after every step. */
function drive(
  { beams, prompts, steps, leaves }: Plan,
  visit: (frontier: Frontier, histories: number[][][], rowsPerSentence: number) => void,
): void {
  const promptLength = prompts[0].length;
  const maxLength = promptLength + steps.length;
  const frontier = createFrontier(2, beams, Int32Array.from(prompts.flat()), promptLength, maxLength, true);
  let histories = prompts.map((prompt) => [prompt]);
  visit(frontier, histories, 1);
  steps.forEach((choices, step) => {
    if (step === leaves) {
      park(frontier, 0);
      expect(removeFinished(frontier)).toEqual([1]);
      histories = [histories[1]];
    }
    histories = histories.map((rows, slot) =>
      Array.from({ length: beams }, (_, beam) => {
        const [anyParent, token] = choices[slot * beams + beam];
        const parent = step === 0 ? 0 : anyParent;
        frontier.parents[slot * beams + beam] = parent;
        frontier.tokens[slot * beams + beam] = token;
        return [...rows[parent], token];
      }),
    );
    advancePosition(frontier);
    visit(frontier, histories, beams);
  });
}

/** Follows a frontier and tells what each row may not repeat. */
function createWatcher(n: number) {
  const list = createCellList(0, 0, 0);
  let blocker: ReturnType<typeof createNgramBlocker> | undefined;
  return (frontier: Frontier, histories: number[][][], rowsPerSentence: number): Set<number>[] => {
    blocker ??= createNgramBlocker(frontier, n, list);
    list.length = 0;
    blocker.advance?.();
    const got = histories.flat().map(() => new Set<number>());
    for (let row = 0; row < got.length; row++) {
      blocker.edit(Math.floor(row / rowsPerSentence), row % rowsPerSentence, row, 0);
    }
    for (let i = 0; i < list.length; i++) got[list.cells[2 * i]].add(list.cells[2 * i + 1]);
    return got;
  };
}

describe('noRepeatNgram', () => {
  it('bans what the definition bans, as beams branch, die and sentences leave', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const watch = createWatcher(plan.n);
        drive(plan, (frontier, histories, rowsPerSentence) => {
          const got = watch(frontier, histories, rowsPerSentence);
          expect(got).toEqual(histories.flat().map((ids) => bannedByDefinition(ids, plan.n)));
        });
      }),
      { numRuns: 150 },
    );
  });

  it('keeps its table right as it grows', () => {
    const plan: Plan = {
      n: 3,
      beams: 4,
      prompts: [[0], [1]],
      steps: Array.from({ length: 400 }, (_, step) =>
        Array.from(
          { length: 8 },
          (_, row) => [(step * 7 + row) % 4, (step * step + row) % 11] as [number, number],
        ),
      ),
      leaves: 1000,
    };
    const watch = createWatcher(plan.n);
    drive(plan, (frontier, histories, rowsPerSentence) => {
      const got = watch(frontier, histories, rowsPerSentence);
      if (histories[0][0].length % 50 !== 0) return;
      expect(got).toEqual(histories.flat().map((ids) => bannedByDefinition(ids, plan.n)));
    });
  });
});

describe('repetitionPenalty', () => {
  it('lists exactly the history of each row', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const out = new Int32Array(2 * plan.beams * 40);
        drive(plan, (frontier, histories, rowsPerSentence) => {
          listPenalized(frontier, rowsPerSentence, out);
          const flat = histories.flat(2);
          expect([...out.subarray(0, flat.length)]).toEqual(flat);
        });
      }),
      { numRuns: 60 },
    );
  });
});
