import { expect } from 'vitest';
import {
  type AttentionSpec,
  type Candidates,
  everyLogit,
  type SelectionSpec,
  type SourceBatch,
  type StartFeed,
  type StepEdits,
  type StepModel,
} from '../../../src/generation/stepModel.js';
import { select } from './fakeModel.js';

/** A model to hold against the contract. */
export interface ContractSubject {
  model: StepModel;
  /** Three or more sources of different lengths, without padding. */
  sources: readonly (readonly number[])[];
  padTokenId: number;
  decoderStartTokenId: number;
  /** Largest difference of logits that rounding explains. Default 1e-4. */
  tolerance?: number;
}

/** Starts sentences with prompts of one length. */
export async function start(
  subject: ContractSubject,
  sources: readonly (readonly number[])[],
  prompts: readonly (readonly number[])[],
  beams: number,
  maxLength: number,
  selection: SelectionSpec,
  edits: StepEdits = {},
) {
  const feed: StartFeed = {
    source: pad(sources, subject.padTokenId),
    prompt: Int32Array.from(prompts.flat()),
    promptLength: prompts[0].length,
    beams,
    maxLength,
    selection,
    ...edits,
  };
  const { state, candidates } = await subject.model.start(feed);
  return { state, candidates, finish: () => subject.model.dispose(state) };
}

/** Attention of the choice after each history, each from a start of its own. */
export async function attentionRows(
  subject: ContractSubject,
  sources: readonly (readonly number[])[],
  histories: readonly (readonly number[])[],
  attention: AttentionSpec,
): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for (const [row, history] of histories.entries()) {
    const selection = { ...everyLogit, attention };
    const length = history.length + 1;
    const { candidates, finish } = await start(subject, [sources[row]], [history], 1, length, selection);
    rows.push(candidates.attention!.slice());
    finish();
  }
  return rows;
}

/** Compares with rows that have no padding; what is beyond them must be 0, and the rest sum to 1. */
export function expectAttention(
  got: Float32Array | undefined,
  wanted: readonly Float32Array[],
  { sources, tolerance = 1e-4 }: ContractSubject,
): void {
  const source = Math.max(...sources.map((ids) => ids.length));
  expect(got?.length).toBe(wanted.length * source);
  wanted.forEach((row, at) => {
    for (let place = 0; place < source; place++) {
      expectClose(got![at * source + place], row[place] ?? 0, tolerance);
    }
    expectClose(
      row.reduce((sum, one) => sum + one, 0),
      1,
      tolerance,
    );
  });
}

/** Raw logits of the token after each history, each from a start of its own. */
export async function rawLogits(
  subject: ContractSubject,
  sources: readonly (readonly number[])[],
  histories: readonly (readonly number[])[],
): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for (let row = 0; row < histories.length; row++) {
    const { candidates, finish } = await start(
      subject,
      [sources[row]],
      [histories[row]],
      1,
      histories[row].length + 1,
      everyLogit,
    );
    rows.push(candidates.logits.slice());
    finish();
  }
  return rows;
}

function pad(sources: readonly (readonly number[])[], padTokenId: number): SourceBatch {
  const source = Math.max(...sources.map((ids) => ids.length));
  const padded = sources.map((ids) => [...ids, ...new Array(source - ids.length).fill(padTokenId)]);
  const mask = sources.map((ids) => padded[0].map((_, i) => Number(i < ids.length)));
  return {
    inputIds: Int32Array.from(padded.flat()),
    attentionMask: Int32Array.from(mask.flat()),
    batch: sources.length,
    source,
  };
}

/** Compares by value, since ids of nearly equal logits may come in either order. */
export function expectCandidates(
  got: Candidates,
  raw: readonly Float32Array[],
  selection: SelectionSpec,
  edits: StepEdits,
  { model, tolerance = 1e-4 }: ContractSubject,
  vocabulary?: Int32Array,
): void {
  const wanted = select(raw, selection, edits, model.vocabSize);
  const all = select(raw, { ...selection, candidates: 0 }, edits, model.vocabSize);
  expect({ rows: got.rows, width: got.width }).toEqual({ rows: wanted.rows, width: wanted.width });
  expect(got.ids === undefined).toBe(selection.candidates === 0);
  expect(got.ownLogits === undefined).toBe(!selection.ownLogits);
  expect(got.lookedUp === undefined).toBe(!selection.lookup);
  expect(got.rawLogits?.length).toBe(selection.rawLogits ? raw.length * model.vocabSize : undefined);
  raw.forEach((row, at) => {
    if (!got.rawLogits) return;
    row.forEach((logit, id) => {
      expectClose(got.rawLogits![at * model.vocabSize + id], logit, tolerance);
    });
  });
  edits.lookup?.forEach((id, at) => {
    if (id >= 0) expectClose(got.lookedUp![at], wanted.lookedUp![at], tolerance);
  });
  for (let i = 0; i < wanted.rows * wanted.width; i++) {
    expectClose(got.logits[i], wanted.logits[i], tolerance);
    const row = Math.floor(i / wanted.width);
    const id = got.ids ? got.ids[i] : i % wanted.width;
    if (id < 0) continue;
    expectClose(got.logits[i], all.logits[row * model.vocabSize + id], tolerance);
    if (got.ownLogits) expectClose(got.ownLogits[i], raw[row][id], tolerance);
  }
  for (let row = 0; row < wanted.rows; row++)
    expectClose(got.logSumExp[row], wanted.logSumExp[row], tolerance);
  if (got.ids) {
    for (let row = 0; row < wanted.rows; row++) {
      const ids = got.ids.subarray(row * wanted.width, (row + 1) * wanted.width).filter((id) => id >= 0);
      expect(new Set(ids).size).toBe(ids.length);
      if (vocabulary) {
        expect(ids.every((id) => vocabulary.includes(id))).toBe(true);
        continue;
      }
      expect(ids.length).toBe(
        wanted.ids!.subarray(row * wanted.width, (row + 1) * wanted.width).filter((id) => id >= 0).length,
      );
    }
  }
}

/** Equal, infinite values included, or as near as `tolerance`. */
export function expectClose(got: number, wanted: number, tolerance: number): void {
  // The plain comparison first: it holds for -Infinity, and expect() is slow.
  if (got === wanted || Math.abs(got - wanted) <= tolerance) return;
  expect({ got, tolerance }).toEqual({ got: wanted, tolerance });
}

/** The decoder start token and random ones. */
export function randomHistory(
  { model, decoderStartTokenId }: ContractSubject,
  length: number,
  seed: number,
): number[] {
  const random = generator(seed + 1);
  const tokens = Array.from({ length: length - 1 }, () => Math.floor(random() * model.vocabSize));
  return [decoderStartTokenId, ...tokens];
}

/** Uniform numbers in [0, 1) from a linear congruential generator. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
