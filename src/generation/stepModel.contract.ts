import { describe, expect, it } from 'vitest';
import { select } from '../../test/support/generation/fakeModel.js';
import { restrictVocabulary } from './restrictVocabulary.js';
import {
  type AttentionSpec,
  type Candidates,
  everyLogit,
  type SelectionSpec,
  type SourceBatch,
  type StartFeed,
  type StepEdits,
  type StepModel,
} from './stepModel.js';

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

const everything = everyLogit;

/**
 * The tests every StepModel must pass, whatever its architecture. The reference is the model itself, started afresh on
 * one sentence with the whole history as its prompt and asked for every raw logit: no cache, ancestry, padding, edit or
 * selection is involved in that.
 */
export function stepModelContract(name: string, setUp: () => Promise<ContractSubject>): void {
  describe(`StepModel contract: ${name}`, () => {
    it('starts sentences of different lengths as if each were alone', async () => {
      const subject = await setUp();
      const prompts = subject.sources.map(() => [subject.decoderStartTokenId]);
      const { candidates, finish } = await start(subject, subject.sources, prompts, 2, 4, everything);
      const alone = await rawLogits(subject, subject.sources, prompts);
      expectCandidates(candidates, alone, everything, {}, subject);
      finish();
    });

    it('reads prompts of several tokens', async () => {
      const subject = await setUp();
      const prompts = subject.sources.map((_, i) => randomHistory(subject, 4, i));
      const { candidates, finish } = await start(subject, subject.sources, prompts, 1, 6, everything);
      expectCandidates(
        candidates,
        await rawLogits(subject, subject.sources, prompts),
        everything,
        {},
        subject,
      );
      finish();
    });

    it('reads every position from the row that the ancestry table names', async () => {
      const subject = await setUp();
      await walk(subject, { ...everything, candidates: 5 }, 3, 6);
    });

    it('returns every logit where no number of candidates is given', async () => {
      const subject = await setUp();
      await walk(subject, everything, 2, 3);
    });

    it('bans tokens, in start and in steps, and leaves the log-sum-exp alone', async () => {
      const subject = await setUp();
      await walk(subject, { ...everything, candidates: 4, edits: 'bans' }, 3, 3, { bans: true });
    });

    it('takes steps without bans where bans were announced', async () => {
      const subject = await setUp();
      await walk(subject, { ...everything, candidates: 4, edits: 'bans' }, 2, 3);
    });

    it('takes the log-sum-exp after bans where it renormalizes', async () => {
      const subject = await setUp();
      const selection: SelectionSpec = { ...everything, candidates: 4, edits: 'bans', renormalize: true };
      await walk(subject, selection, 3, 3, { bans: true });
    });

    it.each(['logits', 'logProbabilities'] as const)(
      'penalizes listed tokens once, in %s',
      async (penaltySpace) => {
        const subject = await setUp();
        const selection = { ...everything, candidates: 4, repetitionPenalty: 1.7, penaltySpace };
        await walk(subject, selection, 3, 3, { penalize: true });
        await walk(subject, { ...selection, repetitionPenalty: 0.6 }, 2, 2, { penalize: true });
      },
    );

    it('adds values to logits, -Infinity among them', async () => {
      const subject = await setUp();
      const selection: SelectionSpec = { ...everything, candidates: 4, edits: 'values' };
      await walk(subject, selection, 2, 2, { values: true });
      await walk(subject, selection, 1, 1);
      await walk(subject, { ...selection, candidates: 0, renormalize: true }, 2, 1, { values: true });
    });

    it.each(['logits', 'logProbabilities'] as const)(
      'rescales %s by the factor for their sign',
      async (space) => {
        const subject = await setUp();
        const selection = { ...everything, candidates: 4, rescale: true, penaltySpace: space };
        await walk(subject, selection, 2, 2, { rescale: true });
        await walk(subject, selection, 1, 1);
      },
    );

    it.each([0, 3])('offers allowed tokens only, with %i candidates', async (candidates) => {
      const subject = await setUp();
      const selection = { ...everything, candidates, allowed: true };
      await walk(subject, selection, 2, 2, { allowed: true });
      await walk(subject, { ...selection, renormalize: true, ownLogits: true }, 2, 1, { allowed: true });
      await walk(subject, selection, 1, 1);
    });

    it.each([0, 5])('returns its own logits beside edited ones, with %i candidates', async (candidates) => {
      const subject = await setUp();
      const selection: SelectionSpec = { ...everything, candidates, edits: 'values', ownLogits: true };
      await walk(subject, selection, 2, 2, { values: true });
    });

    it('gives the hidden states of what it read, the same by steps as by a prompt', async () => {
      const subject = await setUp();
      const selection = { ...everything, hidden: subject.model.givesHidden };
      const prompts = subject.sources.map((_, i) => randomHistory(subject, 4, i));
      const whole = await start(subject, subject.sources, prompts, 1, 4, selection);
      const begun = await start(
        subject,
        subject.sources,
        prompts.map((prompt) => prompt.slice(0, 1)),
        1,
        4,
        selection,
      );
      const all = whole.candidates.hidden;
      expect(all === undefined).toBe(!subject.model.givesHidden);
      const batch = prompts.length;
      const size = (all?.length ?? 0) / batch / 4;
      for (let position = 0; position < 4; position++) {
        const tokens = Int32Array.from(prompts, (prompt) => prompt[position]);
        const ancestry = new Int32Array(batch * 4);
        const { hidden } =
          position === 0
            ? begun.candidates
            : await subject.model.step(begun.state, { tokens, position, ancestry });
        for (let i = 0; all && i < batch * size; i++) {
          const at = (Math.floor(i / size) * 4 + position) * size + (i % size);
          expectClose(hidden![i], all[at], subject.tolerance ?? 1e-4);
        }
      }
      whole.finish();
      begun.finish();
    });

    it('returns every logit as it was, beside edited candidates', async () => {
      const subject = await setUp();
      const selection: SelectionSpec = { ...everything, candidates: 3, edits: 'bans', rawLogits: true };
      await walk(subject, selection, 2, 2, { bans: true });
    });

    it('looks up the edited logits of any tokens', async () => {
      const subject = await setUp();
      const selection: SelectionSpec = { ...everything, candidates: 3, edits: 'bans', lookup: true };
      await walk(subject, selection, 2, 2, { bans: true });
    });

    it('combines all edits with renormalization', async () => {
      const subject = await setUp();
      const selection: SelectionSpec = {
        candidates: 5,
        edits: 'values',
        repetitionPenalty: 1.3,
        penaltySpace: 'logProbabilities',
        renormalize: true,
        rescale: true,
        allowed: true,
        lookup: true,
        ownLogits: true,
      };
      const plan = { values: true, penalize: true, rescale: true, allowed: true };
      await walk(subject, selection, 3, 2, plan);
      const bans: SelectionSpec = {
        ...selection,
        edits: 'bans',
        rescale: false,
        allowed: false,
        lookup: false,
      };
      await walk(subject, bans, 2, 2, { bans: true, penalize: true });
    });

    it('returns its attention over the source, if it has any', async () => {
      const subject = await setUp();
      const { attention } = subject.model;
      const unasked = await start(
        subject,
        subject.sources,
        subject.sources.map(() => [subject.decoderStartTokenId]),
        1,
        3,
        everything,
      );
      expect(unasked.candidates.attention).toBeUndefined();
      unasked.finish();
      if (!attention) return;
      const last = { layer: attention.layers - 1, heads: [attention.heads - 1] };
      for (const spec of [{}, { layer: 0 }, last]) {
        await walk(subject, { ...everything, candidates: 4, attention: spec }, 3, 3, { keepAt: [2] });
      }
      const prompts = subject.sources.map((_, i) => randomHistory(subject, 4, i));
      const selection = { ...everything, attention: last };
      const { candidates, finish } = await start(subject, subject.sources, prompts, 2, 6, selection);
      const beginnings = prompts.flatMap((prompt) => [1, 2, 3].map((length) => prompt.slice(0, length)));
      const sources = beginnings.map((_, row) => subject.sources[Math.floor(row / 3)]);
      expectAttention(
        candidates.promptAttention,
        await attentionRows(subject, sources, beginnings, last),
        subject,
      );
      finish();
    });

    it('goes on with the sentences it is told to keep', async () => {
      const subject = await setUp();
      await walk(subject, { ...everything, candidates: 5 }, 3, 5, { keepAt: [1, 3] });
    });

    it.each([1, 3])('takes sentences in between steps, wherever they are, with %i beams', async (beams) => {
      const subject = await setUp();
      if (subject.model.adopt) await joinAndLeave(subject, beams);
    });

    it.each([0, 4])('holds itself to a part of the vocabulary, with %i candidates', async (candidates) => {
      const subject = await setUp();
      const selection: SelectionSpec = { ...everything, candidates };
      await walk(subject, selection, 3, 3, { vocabulary: someTokens(subject, 2), keepAt: [1] });
      // Fewer tokens than candidates.
      await walk(subject, selection, 2, 1, { vocabulary: someTokens(subject, 7) });
    });

    it('edits a part of the vocabulary by the ids of its tokens', async () => {
      const subject = await setUp();
      const selection: SelectionSpec = {
        candidates: 5,
        edits: 'values',
        repetitionPenalty: 1.3,
        penaltySpace: 'logProbabilities',
        renormalize: true,
        rescale: true,
        allowed: true,
        lookup: true,
        ownLogits: true,
      };
      const plan = { values: true, penalize: true, rescale: true, allowed: true };
      await walk(subject, selection, 3, 2, { ...plan, vocabulary: someTokens(subject, 2) });
      const bans: SelectionSpec = { ...selection, edits: 'bans', rescale: false, allowed: false };
      await walk(subject, bans, 2, 2, { bans: true, penalize: true, vocabulary: someTokens(subject, 3) });
      await walk(subject, { ...bans, candidates: 0 }, 2, 1, {
        bans: true,
        penalize: true,
        vocabulary: someTokens(subject, 3),
      });
    });
  });
}

/** A sentence at a place of a batch, at a position of its own. */
interface Passenger {
  source: readonly number[];
  /** Of each beam. */
  histories: number[][];
}

/**
 * Two sentences start; one leaves, one pauses, others with prompts of other lengths take its place and a new one. Every
 * row of every step is compared with the reference.
 */
async function joinAndLeave(subject: ContractSubject, beams: number): Promise<void> {
  const { model, sources, decoderStartTokenId } = subject;
  const random = generator(29);
  const selection: SelectionSpec = { ...everything, candidates: 5, edits: 'bans', ownPositions: true };
  const board = async (given: readonly (readonly number[])[], prompts: readonly number[][], room: number) => {
    const started = await start(subject, given, prompts, beams, room, selection);
    expectCandidates(started.candidates, await rawLogits(subject, given, prompts), selection, {}, subject);
    const riders = given.map((source, at): Passenger => {
      return { source, histories: Array.from({ length: beams }, () => [...prompts[at]]) };
    });
    return { state: started.state, riders };
  };
  const first = await board(sources.slice(1), [[decoderStartTokenId], [decoderStartTokenId]], 40);
  let { state } = first;
  let seats: (Passenger | undefined)[] = first.riders;
  let room = 40;
  let ancestry = new Int32Array(seats.length * beams * room);

  const step = async (paused: readonly number[] = []) => {
    const before = ancestry.slice();
    const tokens = new Int32Array(seats.length * beams);
    const positions = new Int32Array(seats.length);
    const read: { row: number; source: readonly number[]; history: number[] }[] = [];
    seats.forEach((passenger, place) => {
      if (!passenger) return;
      positions[place] = paused.includes(place) ? -1 : passenger.histories[0].length;
      if (positions[place] < 0) return;
      passenger.histories = passenger.histories.map((_, beam) => {
        const parent = Math.floor(random() * beams);
        const row = place * beams + beam;
        const from = (place * beams + parent) * room;
        ancestry.set(before.subarray(from, from + positions[place]), row * room);
        ancestry[row * room + positions[place]] = beam;
        tokens[row] = Math.floor(random() * model.vocabSize);
        const history = [...passenger.histories[parent], tokens[row]];
        read.push({ row, source: passenger.source, history });
        return history;
      });
    });
    const cells = Int32Array.from(read.flatMap(({ row }) => [row, row % model.vocabSize]));
    const position = Math.max(...positions);
    const got = await model.step(state, { tokens, position, positions, ancestry, cells });
    const raw = await rawLogits(
      subject,
      read.map(({ source }) => source),
      read.map(({ history }) => history),
    );
    // The rows that were asked about, as if they were all.
    const edits = { cells: Int32Array.from(read.flatMap(({ row }, at) => [at, row % model.vocabSize])) };
    const some = <T extends Int32Array | Float32Array>(values: T, width: number) =>
      values.filter((_, at) => read.some(({ row }) => row === Math.floor(at / width))) as T;
    const asked: Candidates = {
      rows: read.length,
      width: got.width,
      ids: some(got.ids as Int32Array, got.width),
      logits: some(got.logits, got.width),
      logSumExp: some(got.logSumExp, 1),
    };
    expectCandidates(asked, raw, selection, edits, subject);
  };
  const take = async (
    given: Awaited<ReturnType<typeof board>>,
    places: readonly number[],
    theirRoom: number,
  ) => {
    state = await model.adopt!(state, given.state, places);
    const [old, width] = [ancestry, room];
    room = Math.max(room, theirRoom);
    given.riders.forEach((rider, at) => {
      seats[places[at]] = rider;
    });
    ancestry = new Int32Array(seats.length * beams * room);
    for (let row = 0; row * width < old.length; row++) {
      ancestry.set(old.subarray(row * width, (row + 1) * width), row * room);
    }
    for (const place of places) ancestry.fill(0, place * beams * room, (place + 1) * beams * room);
  };

  await step();
  await step();
  await step([0]);
  seats[1] = undefined;
  // The longest source of all, and a prompt that is longer than what the others have written.
  const prompt = randomHistory(subject, 36, 3);
  await take(await board([sources[0], sources[2]], [prompt, prompt], 50), [1, 2], 50);
  await step();
  await step([1]);
  seats[2] = undefined;
  await step();
  state = await model.keep(state, [0, 1]);
  seats = seats.slice(0, 2);
  ancestry = ancestry.slice(0, 2 * beams * room);
  await step([0]);
  await take(await board([sources[1]], [[decoderStartTokenId]], 40), [2], 40);
  await step();
  await step();
  model.dispose(state);
}

interface WalkPlan {
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
function someTokens({ model, decoderStartTokenId }: ContractSubject, stride: number): Int32Array {
  const ids = Array.from({ length: model.vocabSize }, (_, id) => id);
  return Int32Array.from(ids.filter((id) => id % stride === 1 || id === decoderStartTokenId));
}

/** Takes `steps` steps with random parents and tokens, and compares every row of every step with the reference. */
async function walk(
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

function makeEdits(
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

async function start(
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
async function attentionRows(
  subject: ContractSubject,
  sources: readonly (readonly number[])[],
  histories: readonly (readonly number[])[],
  attention: AttentionSpec,
): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for (const [row, history] of histories.entries()) {
    const selection = { ...everything, attention };
    const length = history.length + 1;
    const { candidates, finish } = await start(subject, [sources[row]], [history], 1, length, selection);
    rows.push(candidates.attention!.slice());
    finish();
  }
  return rows;
}

/** Compares with rows that have no padding; what is beyond them must be 0, and the rest sum to 1. */
function expectAttention(
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
async function rawLogits(
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
      everything,
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
function expectCandidates(
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
    if (id >= 0 && vocabulary?.includes(id) !== false)
      expectClose(got.lookedUp![at], wanted.lookedUp![at], tolerance);
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

function expectClose(got: number, wanted: number, tolerance: number): void {
  // The plain comparison first: it holds for -Infinity, and expect() is slow.
  if (got === wanted || Math.abs(got - wanted) <= tolerance) return;
  expect({ got, tolerance }).toEqual({ got: wanted, tolerance });
}

function randomHistory(
  { model, decoderStartTokenId }: ContractSubject,
  length: number,
  seed: number,
): number[] {
  const random = generator(seed + 1);
  const tokens = Array.from({ length: length - 1 }, () => Math.floor(random() * model.vocabSize));
  return [decoderStartTokenId, ...tokens];
}

/** Uniform numbers in [0, 1) from a linear congruential generator. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
