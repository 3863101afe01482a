import type {
  Candidates,
  DecodingState,
  EveryCandidateField,
  StartFeed,
  StepEdits,
  StepModel,
} from './stepModel.js';

/** Ids and their places in the vocabulary of one decoding. */
interface Places {
  /** Ascending ids. */
  vocabulary: Int32Array;
  /** Place of each id; -1 where it is not in the vocabulary. [vocabSize] */
  placeOf: Int32Array;
}

interface State extends DecodingState {
  inner: DecodingState;
  /** Candidates of each row that the search asked for. */
  wanted: number;
}

/**
 * A model restricted to part of its vocabulary: the other tokens have logit -Infinity, in
 * logSumExp too. The search still uses ids; its edits of other tokens are dropped, except that a row's
 * `allowed` must hold one token of the vocabulary, and `penalized` too.
 *
 * @param model one that takes a vocabulary
 * @param vocabulary ascending ids; a list of all gives the model itself
 */
export function restrictVocabulary(model: StepModel, vocabulary: Int32Array): StepModel {
  const { vocabSize } = model;
  if (vocabulary.length === vocabSize) return model;
  const placeOf = new Int32Array(vocabSize).fill(-1);
  vocabulary.forEach((id, place) => {
    placeOf[id] = place;
  });
  const places: Places = { vocabulary, placeOf };
  return {
    vocabSize,
    maxPositions: model.maxPositions,
    maxSource: model.maxSource,
    attention: model.attention,
    givesHidden: model.givesHidden,
    start: async (feed: StartFeed) => {
      const wanted = feed.selection.candidates;
      const selection = { ...feed.selection, candidates: Math.min(wanted, vocabulary.length) };
      const started = await model.start({ ...feed, ...placeEdits(feed, places), selection, vocabulary });
      const candidates = nameCandidates(started.candidates, wanted, places, feed);
      return { state: around(started.state, wanted), candidates };
    },
    step: async (state, feed) => {
      const { inner, wanted } = state as State;
      const candidates = await model.step(inner, { ...feed, ...placeEdits(feed, places) });
      return nameCandidates(candidates, wanted, places, feed);
    },
    keep: async (state, sentences) => {
      const { inner, wanted } = state as State;
      return around(await model.keep(inner, sentences), wanted);
    },
    dispose: (state) => model.dispose((state as State).inner),
  };
}

function around(inner: DecodingState, wanted: number): State {
  return { batch: inner.batch, beams: inner.beams, inner, wanted };
}

/** The edits, with indices in place of ids. */
function placeEdits(edits: StepEdits, { placeOf }: Places): StepEdits {
  const { penalized, allowed, allowedWidth = 0, lookup } = edits;
  const placed: StepEdits = {};
  if (edits.cells)
    Object.assign(placed, placeCells(edits.cells, edits.values, 1, placeOf, 'cells', 'values'));
  if (edits.rescaled) {
    Object.assign(placed, placeCells(edits.rescaled, edits.factors, 2, placeOf, 'rescaled', 'factors'));
  }
  if (penalized) placed.penalized = placePenalized(penalized, edits.penalizedWidth!, placeOf);
  if (allowed) placed.allowed = placeAllowed(allowed, allowedWidth, placeOf);
  if (lookup) placed.lookup = lookup.map((id) => (id < 0 ? -1 : placeOf[id]));
  return placed;
}

/** Pairs (row, id) that are in the vocabulary, with `perCell` numbers each, under the names they came by. */
function placeCells(
  cells: Int32Array,
  numbers: Float32Array | undefined,
  perCell: number,
  placeOf: Int32Array,
  cellsName: string,
  numbersName: string,
) {
  const kept = new Int32Array(cells.length);
  const keptNumbers = numbers && new Float32Array(numbers.length);
  let count = 0;
  for (let cell = 0; cell * 2 < cells.length; cell++) {
    const place = placeOf[cells[2 * cell + 1]];
    if (place < 0) continue;
    kept[2 * count] = cells[2 * cell];
    kept[2 * count + 1] = place;
    for (let i = 0; keptNumbers && numbers && i < perCell; i++) {
      keptNumbers[count * perCell + i] = numbers[cell * perCell + i];
    }
    count++;
  }
  return {
    [cellsName]: kept.subarray(0, 2 * count),
    ...(keptNumbers && { [numbersName]: keptNumbers.subarray(0, perCell * count) }),
  };
}

/** A token outside the vocabulary is replaced by one of its row that is inside; listing a token twice has no effect. */
function placePenalized(penalized: Int32Array, width: number, placeOf: Int32Array): Int32Array {
  const placed = penalized.map((id) => placeOf[id]);
  for (let from = 0; from < placed.length; from += width) {
    const row = placed.subarray(from, from + width);
    const inside = row.find((place) => place >= 0);
    for (let i = 0; i < width; i++) if (row[i] < 0) row[i] = inside ?? 0;
  }
  return placed;
}

/** Tokens outside are left out. */
function placeAllowed(allowed: Int32Array, width: number, placeOf: Int32Array): Int32Array {
  const placed = new Int32Array(allowed.length).fill(-1);
  for (let from = 0; from < allowed.length; from += width) {
    let at = from;
    for (let i = from; i < from + width; i++) {
      if (allowed[i] >= 0 && placeOf[allowed[i]] >= 0) placed[at++] = placeOf[allowed[i]];
    }
  }
  return placed;
}

/**
 * The candidates by their ids: as many as were wanted, -1 where the vocabulary has fewer; every logit where 0 were.
 *
 * @param edits the search's, in ids
 */
function nameCandidates(
  candidates: Candidates,
  wanted: number,
  { vocabulary, placeOf }: Places,
  { lookup }: StepEdits,
): EveryCandidateField {
  const { rows, ids } = candidates;
  const width = ids ? wanted : placeOf.length;
  const lowest = (size: number) => new Float32Array(rows * size).fill(Number.NEGATIVE_INFINITY);
  const wide = (values: Float32Array) =>
    ids
      ? widenRows(values, rows, candidates.width, lowest(wanted))
      : spreadRows(values, rows, vocabulary, lowest(placeOf.length));
  const named = ids?.map((place) => (place >= 0 && place < vocabulary.length ? vocabulary[place] : -1));
  return {
    rows,
    width,
    ids: named && widenRows(named, rows, candidates.width, new Int32Array(rows * wanted).fill(-1)),
    logits: wide(candidates.logits),
    ownLogits: candidates.ownLogits && wide(candidates.ownLogits),
    lookedUp: candidates.lookedUp?.map((value, at) =>
      lookup && lookup[at] >= 0 && placeOf[lookup[at]] < 0 ? Number.NEGATIVE_INFINITY : value,
    ),
    logSumExp: candidates.logSumExp,
    rawLogits:
      candidates.rawLogits && spreadRows(candidates.rawLogits, rows, vocabulary, lowest(placeOf.length)),
    hidden: candidates.hidden,
    attention: candidates.attention,
    promptAttention: candidates.promptAttention,
  };
}

/** [rows, width] -> the beginnings of the rows of `wide` [rows, at least width] */
function widenRows<T extends Float32Array | Int32Array>(values: T, rows: number, width: number, wide: T): T {
  if (values.length === wide.length) return values;
  for (let row = 0; row < rows; row++) {
    wide.set(values.subarray(row * width, (row + 1) * width), (row * wide.length) / rows);
  }
  return wide;
}

/**
 * [rows, vocabulary] -> `wide` [rows, vocabSize]
 * @param values each row may end with places that no token has
 */
function spreadRows(
  values: Float32Array,
  rows: number,
  vocabulary: Int32Array,
  wide: Float32Array,
): Float32Array {
  const width = values.length / rows;
  const vocabSize = wide.length / rows;
  for (let row = 0; row < rows; row++) {
    for (let place = 0; place < vocabulary.length; place++) {
      wide[row * vocabSize + vocabulary[place]] = values[row * width + place];
    }
  }
  return wide;
}
