import { restrictVocabulary } from '../../../src/generation/restrictVocabulary.js';
import type { SelectionSpec, StepEdits } from '../../../src/generation/stepModel.js';
import {
  attentionRows,
  type ContractSubject,
  expectAttention,
  expectCandidates,
  generator,
  rawLogits,
  start,
} from './contractSubject.js';

/** Which edits the steps of a walk carry, and what else happens. */
export interface WalkPlan {
  bans?: boolean;
  values?: boolean;
  penalize?: boolean;
  rescale?: boolean;
  allowed?: boolean;
  /** Steps before which one sentence leaves. */
  keepAt?: number[];
  /** The only tokens that may come, the decoder start token among them. */
  vocabulary?: Int32Array;
}

/** Each `stride`-th token, and the decoder start token. */
export function someTokens({ model, decoderStartTokenId }: ContractSubject, stride: number): Int32Array {
  const ids = Array.from({ length: model.vocabSize }, (_, id) => id);
  return Int32Array.from(ids.filter((id) => id % stride === 1 || id === decoderStartTokenId));
}

/** Takes `steps` steps with random parents and tokens, and compares every row of every step with the reference. */
export async function walk(
  subject: ContractSubject,
  selection: SelectionSpec,
  beams: number,
  steps: number,
  plan: WalkPlan = {},
): Promise<void> {
  const { vocabulary } = plan;
  const model = vocabulary ? restrictVocabulary(subject.model, vocabulary) : subject.model;
  const restricted = { ...subject, model };
  let sources = [...subject.sources];
  let histories = sources.map(() => [[subject.decoderStartTokenId]]);
  const random = generator(17);
  const firstEdits = makeEdits(subject, selection, plan, histories.flat(), random);
  const maxLength = steps + 2;
  const opened = await start(
    restricted,
    sources,
    histories.map(([prompt]) => prompt),
    beams,
    maxLength,
    selection,
    firstEdits,
  );
  let { state } = opened;
  expectCandidates(
    opened.candidates,
    await rawLogits(restricted, sources, histories.flat()),
    selection,
    firstEdits,
    restricted,
    vocabulary,
  );
  const spec = selection.attention;
  if (spec) {
    const alone = await attentionRows(subject, sources, histories.flat(), spec);
    expectAttention(opened.candidates.attention, alone, subject);
  }
  let ancestry = new Int32Array(sources.length * beams * maxLength);
  for (let step = 0; step < steps; step++) {
    if (plan.keepAt?.includes(step)) {
      const kept = sources.map((_, i) => i).filter((i) => i !== 1 % sources.length);
      state = await model.keep(state, kept);
      const width = beams * maxLength;
      ancestry = Int32Array.from(kept.flatMap((i) => [...ancestry.subarray(i * width, (i + 1) * width)]));
      sources = kept.map((i) => sources[i]);
      histories = kept.map((i) => histories[i]);
    }
    const position = step + 1;
    const before = ancestry.slice();
    const tokens = new Int32Array(sources.length * beams);
    const grown = histories.map((rows, sentence) =>
      Array.from({ length: beams }, (_, beam) => {
        const parent = step === 0 ? 0 : Math.floor(random() * beams);
        const row = sentence * beams + beam;
        const from = (sentence * beams + parent) * maxLength;
        ancestry.set(before.subarray(from, from + position), row * maxLength);
        ancestry[row * maxLength + position] = beam;
        tokens[row] = Math.floor(random() * model.vocabSize);
        return [...rows[parent], tokens[row]];
      }),
    );
    histories = grown;
    const edits = makeEdits(subject, selection, plan, histories.flat(), random);
    const candidates = await model.step(state, { tokens, position, ancestry, ...edits });
    const rowSources = histories.flatMap((rows, sentence) => rows.map(() => sources[sentence]));
    const raw = await rawLogits(restricted, rowSources, histories.flat());
    if (spec) {
      const alone = await attentionRows(subject, rowSources, histories.flat(), spec);
      expectAttention(candidates.attention, alone, subject);
    }
    expectCandidates(candidates, raw, selection, edits, restricted, vocabulary);
  }
  model.dispose(state);
}

export function makeEdits(
  { model, decoderStartTokenId }: ContractSubject,
  selection: SelectionSpec,
  plan: WalkPlan,
  histories: readonly number[][],
  random: () => number,
): StepEdits {
  const edits: StepEdits = {};
  const anyToken = () => Math.floor(random() * model.vocabSize);
  /** Two tokens a row, none in each third row. */
  const someCells = () => {
    const tokens = histories.map((_, row) => (row % 3 === 2 ? [] : [...new Set([anyToken(), anyToken()])]));
    return Int32Array.from(tokens.flatMap((list, row) => list.flatMap((token) => [row, token])));
  };
  if (plan.bans || plan.values) edits.cells = someCells();
  if (plan.values) {
    const value = () => (random() < 0.3 ? Number.NEGATIVE_INFINITY : random() * 8 - 4);
    edits.values = Float32Array.from({ length: edits.cells!.length / 2 }, value);
  }
  if (plan.penalize) {
    edits.penalizedWidth = histories[0].length + 1;
    edits.penalized = Int32Array.from(histories.flatMap((history) => [...history, history[0]]));
  }
  if (plan.rescale) {
    edits.rescaled = someCells();
    edits.factors = Float32Array.from(edits.rescaled, () => random() * 3 - 0.5);
  }
  if (selection.allowed) {
    const width = Math.max(selection.candidates, 4);
    const rows = histories.map((_, row) => {
      const count = !plan.allowed || row % 3 === 1 ? 0 : 1 + Math.floor(random() * width);
      const named = new Set(Array.from({ length: count }, anyToken));
      if (plan.vocabulary && count > 0) {
        named.delete([...named][0]);
        named.add(decoderStartTokenId);
      }
      return [...named, ...new Array(width - named.size).fill(-1)];
    });
    edits.allowed = Int32Array.from(rows.flat());
    edits.allowedWidth = width;
  }
  if (selection.lookup) {
    edits.lookupWidth = 3;
    edits.lookup = Int32Array.from(
      histories.flatMap((_, row) => [anyToken(), row % 2 ? -1 : anyToken(), -1]),
    );
  }
  return edits;
}
