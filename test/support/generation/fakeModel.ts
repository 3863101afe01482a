import type {
  AttentionSpec,
  Candidates,
  DecodingState,
  SelectionSpec,
  SourceBatch,
  StartFeed,
  StepEdits,
  StepFeed,
  StepModel,
} from '../../../src/generation/stepModel.js';

/** Logits of the token after `history` (decoder prompt included) for a source without its padding. [vocabSize] */
export type LogitsFunction = (source: readonly number[], history: readonly number[]) => ArrayLike<number>;

/** Weights over a source without its padding, of the choice after `history`. [source] */
export type AttentionFunction = (
  source: readonly number[],
  history: readonly number[],
  spec: AttentionSpec,
) => ArrayLike<number>;

/** What a fake model was asked, for tests that look behind the search. */
export interface FakeModelLog {
  starts: StartFeed['selection'][];
  /** Rows of each step. */
  steps: number[];
  /** Tokens read by each `extend`. */
  extensions: number[];
  /** Sentences kept by each `keep`. */
  keeps: number[][];
  /** States not yet disposed of. */
  alive: number;
}

interface FakeState extends DecodingState {
  /** Ids that may come, ascending; undefined is all. */
  vocabulary?: Int32Array;
  sources: number[][];
  /** Width of the padded sources. */
  source: number;
  maxLength: number;
  promptLength: number;
  /** The last position that each sentence has written. [batch] */
  positions: Int32Array;
  selection: SelectionSpec;
  /** Token written at [sentence, beam, position], as a key-value cache would hold it. */
  cache: Int32Array;
  /** Logits of each place that `extend` read. */
  places?: Float32Array[];
}

/**
 * A StepModel over any function of the whole history. Like a key-value cache it remembers only which token was written
 * at [row, position] and reads histories through the ancestry table, so that a wrong ancestry gives wrong logits. It
 * checks every feed against the contract and throws where the search breaks it.
 */
export function createFakeModel(
  vocabSize: number,
  logits: LogitsFunction,
  maxPositions = Number.POSITIVE_INFINITY,
  attention?: AttentionFunction,
): StepModel & { log: FakeModelLog } {
  const log: FakeModelLog = { starts: [], steps: [], extensions: [], keeps: [], alive: 0 };

  function answer(
    state: FakeState,
    histories: number[][],
    rowsPerSentence: number,
    edits: StepEdits,
  ): Candidates {
    const raw = histories.map((history, row) =>
      // Whoever takes no part must not be read.
      history.length === 0
        ? new Float32Array(vocabSize).fill(Number.NaN)
        : Float32Array.from(logits(state.sources[Math.floor(row / rowsPerSentence)], history)),
    );
    return {
      ...choose(state, raw, edits),
      attention: attentionTo(state, histories, rowsPerSentence),
      hidden: state.selection.hidden ? Float32Array.from(histories.flatMap(fakeHidden)) : undefined,
    };
  }

  function choose({ vocabulary, selection }: FakeState, raw: Float32Array[], edits: StepEdits): Candidates {
    if (!vocabulary) return select(raw, selection, edits, vocabSize);
    const known = raw.map((row) => Float32Array.from(vocabulary, (id) => row[id]));
    return select(known, selection, edits, vocabulary.length);
  }

  function attentionTo(state: FakeState, histories: number[][], rowsPerSentence: number) {
    const spec = state.selection.attention;
    if (!spec) return undefined;
    check(attention !== undefined, 'attention is asked of models that declare it');
    const rows = histories.flatMap((history, row) => {
      const weights = attention!(state.sources[Math.floor(row / rowsPerSentence)], history, spec);
      return [...Array.from(weights), ...new Array(state.source - weights.length).fill(0)];
    });
    return Float32Array.from(rows);
  }

  return {
    vocabSize,
    maxPositions,
    givesHidden: true,
    attention: attention && { layers: 3, heads: 4 },
    takesVocabulary: true,
    log,
    async start(feed) {
      log.starts.push(feed.selection);
      const { batch } = feed.source;
      check(
        feed.prompt.length === batch * feed.promptLength && feed.promptLength >= 1,
        'prompt is [batch, promptLength]',
      );
      check(
        feed.maxLength >= feed.promptLength && feed.maxLength <= maxPositions,
        'maxLength fits the positions',
      );
      check(
        feed.vocabulary?.every((id, i, list) => id < vocabSize && (i === 0 || id > list[i - 1])) ?? true,
        'vocabulary is ascending ids',
      );
      const state: FakeState = {
        batch,
        beams: feed.beams,
        sources: readSources(feed.source),
        source: feed.source.source,
        maxLength: feed.maxLength,
        promptLength: feed.promptLength,
        positions: new Int32Array(batch).fill(feed.promptLength - 1),
        selection: feed.selection,
        vocabulary: feed.vocabulary,
        cache: new Int32Array(batch * feed.beams * feed.maxLength).fill(-1),
      };
      const histories = Array.from({ length: batch }, (_, sentence) => {
        const prompt = feed.prompt.slice(sentence * feed.promptLength, (sentence + 1) * feed.promptLength);
        state.cache.set(prompt, sentence * feed.beams * feed.maxLength);
        return [...prompt];
      });
      const beginnings = histories.flatMap((history) =>
        history.slice(1).map((_, at) => history.slice(0, at + 1)),
      );
      const promptAttention = attentionTo(state, beginnings, feed.promptLength - 1);
      const candidates = { ...answer(state, histories, 1, feed), promptAttention };
      if (candidates.hidden) {
        const all = histories.flatMap((history) =>
          history.flatMap((_, at) => fakeHidden(history.slice(0, at + 1))),
        );
        candidates.hidden = Float32Array.from(all);
      }
      log.alive++;
      return { state, candidates };
    },
    async step(given, feed) {
      const state = given as FakeState;
      const { batch, beams, maxLength } = state;
      const rows = batch * beams;
      log.steps.push(rows);
      checkFeed(state, feed, vocabSize);
      const positions = feed.positions ?? new Int32Array(batch).fill(feed.position);
      const positionOf = (row: number) => positions[Math.floor(row / beams)];
      const columns = feed.ancestry.length / rows;
      for (let row = 0; row < rows; row++) {
        if (positionOf(row) >= 0) state.cache[row * maxLength + positionOf(row)] = feed.tokens[row];
      }
      positions.forEach((position, sentence) => {
        if (position >= 0) state.positions[sentence] = position;
      });
      const histories = Array.from({ length: rows }, (_, row) =>
        Array.from({ length: positionOf(row) + 1 }, (_, position) => {
          const owner = feed.ancestry[row * columns + position];
          check(owner >= 0 && owner < beams, 'ancestry names a beam of the sentence');
          const token = state.cache[(Math.floor(row / beams) * beams + owner) * maxLength + position];
          check(token >= 0, `ancestry points at a written cell (position ${position}, beam ${owner})`);
          return token;
        }),
      );
      return answer(state, histories, beams, feed);
    },
    async extend(given, tokens, position) {
      const state = given as FakeState;
      log.extensions.push(tokens.length);
      const { attention: wanted, hidden, ownPositions } = state.selection;
      check(state.batch * state.beams === 1, 'one row is extended');
      check(!wanted && !hidden && !ownPositions && !state.vocabulary, 'the selection can be extended');
      check(
        position >= state.promptLength && position <= state.positions[0] + 1,
        'no gap before an extension',
      );
      check(tokens.length > 0 && position + tokens.length <= state.maxLength, 'an extension has room');
      check(
        tokens.every((id) => id >= 0 && id < vocabSize),
        'tokens are in the vocabulary',
      );
      state.cache.set(tokens, position);
      state.positions[0] = position + tokens.length - 1;
      const history = [...state.cache.subarray(0, position + tokens.length)];
      state.places = [...tokens].map((_, place) =>
        Float32Array.from(logits(state.sources[0], history.slice(0, position + place + 1))),
      );
    },
    async select(given, place, edits) {
      const state = given as FakeState;
      return choose(state, [(state.places as Float32Array[])[place]], edits);
    },
    async adopt(given, givenFrom, places) {
      const [into, from] = [given as FakeState, givenFrom as FakeState];
      log.alive--;
      check(into.beams === from.beams, 'one number of beams');
      check(new Set(places).size === from.batch && places.length === from.batch, 'a place for each');
      const batch = Math.max(into.batch, ...places.map((place) => place + 1));
      for (let place = into.batch; place < batch; place++) check(places.includes(place), 'no gap');
      const maxLength = Math.max(into.maxLength, from.maxLength);
      const sources = [...into.sources];
      const positions = Int32Array.from({ length: batch }, (_, sentence) => into.positions[sentence] ?? 0);
      const cache = new Int32Array(batch * into.beams * maxLength).fill(-1);
      const copy = (state: FakeState, rowAt: (row: number) => number) => {
        for (let row = 0; row < state.batch * state.beams; row++) {
          const width = state.maxLength;
          cache.fill(-1, rowAt(row) * maxLength, (rowAt(row) + 1) * maxLength);
          cache.set(state.cache.subarray(row * width, (row + 1) * width), rowAt(row) * maxLength);
        }
      };
      copy(into, (row) => row);
      copy(from, (row) => places[Math.floor(row / from.beams)] * from.beams + (row % from.beams));
      places.forEach((place, sentence) => {
        sources[place] = from.sources[sentence];
        positions[place] = from.positions[sentence];
      });
      const source = Math.max(into.source, from.source);
      return { ...into, batch, source, maxLength, sources, positions, cache } as FakeState;
    },
    async keep(given, sentences, source) {
      const state = given as FakeState;
      log.keeps.push([...sentences]);
      check(
        sentences.every((s, i) => s < state.batch && (i === 0 || s > sentences[i - 1])),
        'kept sentences ascend',
      );
      const width = state.beams * state.maxLength;
      const cache = new Int32Array(sentences.length * width);
      sentences.forEach((from, to) => {
        cache.set(state.cache.subarray(from * width, (from + 1) * width), to * width);
      });
      check(
        sentences.every((s) => state.sources[s].length <= (source ?? state.source)),
        'no source that is kept is cut',
      );
      return {
        ...state,
        source: source ?? state.source,
        batch: sentences.length,
        sources: sentences.map((s) => state.sources[s]),
        positions: Int32Array.from(sentences, (s) => state.positions[s]),
        cache,
      } as FakeState;
    },
    dispose() {
      log.alive--;
    },
  };
}

/** A hidden state that depends on the whole history, most of all on its last token. */
export function fakeHidden(history: readonly number[]): number[] {
  const whole = hashIds(history, 77);
  const last = hashIds(history.slice(-1), 78);
  return Array.from({ length: 5 }, (_, i) => uniform(whole, i) + 2 * uniform(last, i) - 1.2);
}

function readSources({ inputIds, attentionMask, batch, source }: SourceBatch): number[][] {
  return Array.from({ length: batch }, (_, row) =>
    [...inputIds.subarray(row * source, (row + 1) * source)].filter(
      (_, i) => attentionMask[row * source + i] === 1,
    ),
  );
}

function checkFeed(state: FakeState, feed: StepFeed, vocabSize: number): void {
  const rows = state.batch * state.beams;
  check(feed.tokens.length === rows, 'tokens is [rows]');
  check(
    feed.tokens.every((id) => id >= 0 && id < vocabSize),
    'tokens are in the vocabulary',
  );
  check(Boolean(state.selection.ownPositions) === Boolean(feed.positions), 'positions come as announced');
  const { positions = new Int32Array(state.batch).fill(feed.position) } = feed;
  check(positions.length === state.batch, 'positions is [batch]');
  positions.forEach((position, sentence) => {
    const last = state.positions[sentence];
    const alone = rows === 1 && !feed.positions;
    const back = alone && position <= last && position >= state.promptLength;
    // Of a step that failed.
    const again = feed.positions !== undefined && position === last;
    const next = (position === last + 1 || back || again) && position < state.maxLength;
    check(next || (feed.positions !== undefined && position <= 0), 'positions follow one another');
  });
  const columns = feed.ancestry.length / rows;
  check(Number.isInteger(columns) && columns > feed.position, 'ancestry is [batch, beams, columns]');
}

/** Edits, penalizes and selects exactly as the contract says, in the plainest way. */
export function select(
  raw: readonly Float32Array[],
  spec: SelectionSpec,
  edits: StepEdits,
  vocabSize: number,
): Candidates {
  const rows = raw.length;
  checkEdits(rows, spec, edits, vocabSize);
  const width = spec.candidates === 0 ? vocabSize : spec.candidates;
  check(width <= vocabSize, 'at most vocabSize candidates');
  const result = {
    rows,
    width,
    ids: spec.candidates === 0 ? undefined : new Int32Array(rows * width).fill(-1),
    logits: new Float32Array(rows * width).fill(Number.NEGATIVE_INFINITY),
    lookedUp: edits.lookup && new Float32Array(edits.lookup.length),
    rawLogits: spec.rawLogits ? Float32Array.from(raw.flatMap((row) => [...row])) : undefined,
    ownLogits: spec.ownLogits ? new Float32Array(rows * width) : undefined,
    logSumExp: new Float32Array(rows),
  };
  for (let row = 0; row < rows; row++) {
    const values = Float64Array.from(raw[row]);
    const rawSum = logSumExp(values);
    const shift = spec.penaltySpace === 'logProbabilities' ? rawSum : 0;
    addValues(values, row, edits);
    penalize(values, row, shift, spec, edits);
    rescale(values, row, shift, edits);
    const { lookup, lookupWidth = 0 } = edits;
    for (let at = row * lookupWidth; lookup && at < (row + 1) * lookupWidth; at++) {
      if (result.lookedUp && lookup[at] >= 0) result.lookedUp[at] = values[lookup[at]];
    }
    const named = allowedOf(row, edits);
    for (let id = 0; named && id < vocabSize; id++) {
      if (!named.includes(id)) values[id] = Number.NEGATIVE_INFINITY;
    }
    result.logSumExp[row] = spec.renormalize ? logSumExp(values) : rawSum;
    const order = result.ids && named ? named : Array.from(values.keys());
    if (result.ids) order.sort((a, b) => values[b] - values[a] || a - b);
    order.slice(0, width).forEach((id, i) => {
      if (result.ids) result.ids[row * width + i] = id;
      result.logits[row * width + i] = values[id];
      if (result.ownLogits) result.ownLogits[row * width + i] = raw[row][id];
    });
  }
  return result;
}

function checkEdits(rows: number, spec: SelectionSpec, edits: StepEdits, vocabSize: number): void {
  const {
    cells,
    values,
    penalized,
    penalizedWidth = 0,
    rescaled,
    factors,
    allowed,
    allowedWidth = 0,
  } = edits;
  check(spec.edits !== 'none' || !cells, 'cells come only where the selection announced them');
  check(
    (spec.edits === 'values' && cells !== undefined) === (values !== undefined),
    'values come with cells',
  );
  check(!values || values.length * 2 === cells?.length, 'values is [n] and cells [n, 2]');
  check(!values || isDistinct(cells as Int32Array), 'cells with values are distinct');
  check(
    cells?.every((id, at) => at % 2 === 0 || (id >= 0 && id < vocabSize)) ?? true,
    'cells name tokens of the vocabulary',
  );
  check(spec.rescale || !rescaled, 'rescaled comes only where the selection announced it');
  check(rescaled?.length === factors?.length, 'factors is [m, 2] as rescaled');
  check(!rescaled || isDistinct(rescaled), 'rescaled cells are distinct');
  check(
    (spec.repetitionPenalty !== 1) === (penalized !== undefined),
    'the penalty and its tokens come together',
  );
  check(
    !penalized || (penalized.length === rows * penalizedWidth && penalizedWidth > 0),
    'penalized is [rows, penalizedWidth]',
  );
  check(spec.allowed === (allowed !== undefined), 'allowed comes where the selection announced it');
  check(
    !allowed || (allowed.length === rows * allowedWidth && allowedWidth >= Math.max(1, spec.candidates)),
    'allowed is [rows, allowedWidth] and as wide as the candidates',
  );
  const { lookup, lookupWidth = 0 } = edits;
  check(Boolean(spec.lookup) === (lookup !== undefined), 'lookup comes where the selection announced it');
  check(
    !lookup || (lookup.length === rows * lookupWidth && lookupWidth > 0),
    'lookup is [rows, lookupWidth]',
  );
  for (let row = 0; row < rows; row++) {
    const named = allowedOf(row, edits) ?? [];
    check(new Set(named).size === named.length, 'allowed tokens of a row are distinct');
  }
}

function isDistinct(cells: Int32Array): boolean {
  const names = Array.from({ length: cells.length / 2 }, (_, i) => `${cells[2 * i]} ${cells[2 * i + 1]}`);
  return new Set(names).size === names.length;
}

function addValues(
  logits: Float64Array,
  row: number,
  { cells = new Int32Array(0), values }: StepEdits,
): void {
  for (let i = 0; i < cells.length / 2; i++) {
    if (cells[2 * i] === row) logits[cells[2 * i + 1]] += values?.[i] ?? Number.NEGATIVE_INFINITY;
  }
}

function rescale(logits: Float64Array, row: number, shift: number, { rescaled, factors }: StepEdits): void {
  if (!rescaled || !factors) return;
  for (let i = 0; i < rescaled.length; i += 2) {
    const token = rescaled[i + 1];
    if (rescaled[i] !== row || logits[token] === Number.NEGATIVE_INFINITY) continue;
    const value = logits[token] - shift;
    logits[token] = value * factors[value < 0 ? i : i + 1] + shift;
  }
}

/** The allowed tokens of a row; undefined where it is free. */
function allowedOf(row: number, { allowed, allowedWidth = 0 }: StepEdits): number[] | undefined {
  const named = [...(allowed?.subarray(row * allowedWidth, (row + 1) * allowedWidth) ?? [])];
  const first = named.indexOf(-1);
  const tokens = first < 0 ? named : named.slice(0, first);
  return tokens.length > 0 ? tokens : undefined;
}

function penalize(
  values: Float64Array,
  row: number,
  shift: number,
  spec: SelectionSpec,
  { penalized, penalizedWidth = 0 }: StepEdits,
): void {
  if (!penalized) return;
  for (const token of new Set(penalized.subarray(row * penalizedWidth, (row + 1) * penalizedWidth))) {
    const value = values[token] - shift;
    values[token] = (value < 0 ? value * spec.repetitionPenalty : value / spec.repetitionPenalty) + shift;
  }
}

/** log(sum(exp(values))), -Infinity where all are. */
export function logSumExp(values: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i] - largest);
  return largest + Math.log(sum);
}

/** Probabilities by history (decoder start token left out, ids joined by blanks); unlisted tokens have 0. */
export type Script = Record<string, Record<number, number>>;

/** Logits from a table of hand-chosen probabilities; a history that is not listed ends at once with token 1. */
export function scriptedLogits(vocabSize: number, script: Script): LogitsFunction {
  return (_, history) => {
    const row = script[history.slice(1).join(' ')] ?? { 1: 1 };
    return Float64Array.from({ length: vocabSize }, (_, token) => Math.log(row[token] ?? 0));
  };
}

/** Parameters of `hashLogits`; tools/makeGenerationFixtures.py has the same function. */
export interface HashLogitsConfig {
  vocabSize: number;
  eosTokenIds: readonly number[];
  /** Added to the logits of end tokens. */
  endBias: number;
  seed: number;
}

function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

function hashIds(ids: readonly number[], seed: number): number {
  let hash = mix(seed);
  for (const id of ids) hash = mix(hash ^ Math.imul(id + 1, 0x9e3779b1));
  return hash;
}

function uniform(hash: number, token: number): number {
  return (mix(hash ^ Math.imul(token + 1, 0x85ebca6b)) >>> 0) / 2 ** 32;
}

/**
 * Random but reproducible logits from -3 to 3: one part depends on the source and the whole history, one on the
 * last token alone, so that loops occur for the penalties to break.
 */
export function hashLogits(config: HashLogitsConfig): LogitsFunction {
  return (source, history) => {
    const whole = hashIds(history, hashIds(source, config.seed));
    const last = hashIds(history.slice(-1), config.seed + 1);
    return Float32Array.from({ length: config.vocabSize }, (_, token) => {
      const logit = 1.5 * uniform(whole, token) + 4.5 * uniform(last, token) - 3;
      return config.eosTokenIds.includes(token) ? logit + config.endBias : logit;
    });
  };
}

/** Attention from a table by history (as for `Script`); a history that is not listed reads all of the source alike. */
export function scriptedAttention(table: Record<string, readonly number[]>): AttentionFunction {
  return (source, history) => table[history.slice(1).join(' ')] ?? source.map(() => 1 / source.length);
}

/** Random but reproducible attention that depends on all it is told. */
export const hashAttention: AttentionFunction = (source, history, { layer = 2, heads = [0, 1, 2, 3] }) => {
  const weights = source.map((id, place) => {
    const own = heads.map((head) => uniform(hashIds([...history, place, head], layer + 1), id) ** 3);
    return own.reduce((sum, one) => sum + one, 0.01);
  });
  const total = weights.reduce((sum, one) => sum + one, 0);
  return weights.map((one) => one / total);
};

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The search broke the StepModel contract: ${what}.`);
}
