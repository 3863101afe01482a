import type { CompileOptions, Program } from '../engine/program.js';
import { integers, type Value } from '../engine/values.js';
import type {
  Candidates,
  DecodingState,
  SelectionSpec,
  SourceBatch,
  StartFeed,
  StepFeed,
  StepModel,
} from '../generation/stepModel.js';
import { copyCache, firstCapacity, keepGroups, makeCache, nextCapacity } from './cacheMemory.js';
import { type Decoder, readsSource } from './encoderDecoder.js';
import { editFeeds } from './selection.js';
import { cacheNames, createStepPrograms, nextName, type StepPrograms } from './stepPrograms.js';

/** The caches and the source of one batch. */
interface State extends DecodingState {
  batch: number;
  beams: number;
  spec: SelectionSpec;
  maxLength: number;
  capacity: number;
  /** Positions written in every row. */
  used: number;
  /** `key.0`, `value.0`, ...: [batch * beams, heads, capacity, size] */
  caches: Record<string, Value>;
  /**
   * `memoryMask` [batch, source] and `memoryKey.0`, `memoryValue.0`, ...: [batch, heads, source, size]; empty where no
   * source is read.
   */
  memory: Record<string, Value>;
  /** What every step is fed and writes, until caches move; the same values are used again and again. */
  bound?: { feeds: Record<string, Value>; into: Record<string, Value> };
}

/** Serves a decoder to the search, with an encoder or alone. */
export interface SequenceModel extends StepModel {
  /** The encoder's output alone, where there is an encoder. [batch, source, features] */
  encode?(source: SourceBatch): Promise<Value>;
  /** Compiles what greedy or beam search will need, so that the first request does not wait. */
  warmUp(spec: SelectionSpec): Promise<void>;
  /** Frees the programs. */
  release(): Promise<void>;
}

/** A step model over compiled programs: one reads the source, one a long prompt, one appends a token to every row. */
export function createStepModel(model: Decoder, options: CompileOptions): SequenceModel {
  const programs = createStepPrograms(model, options);
  return {
    vocabSize: model.vocabSize,
    maxPositions: model.maxTarget,
    ...(readsSource(model) && { attention: { layers: model.decoderLayers, heads: model.decoderHeads } }),
    start: (feed) => start(model, programs, feed),
    step: async (state, feed) => step(await programs.step((state as State).spec), state as State, feed),
    keep: async (state, sentences) => keep(state as State, sentences),
    dispose: (state) => {
      (state as State).caches = {};
      (state as State).memory = {};
      (state as State).bound = undefined;
    },
    ...(readsSource(model) && {
      encode: async (source: SourceBatch) =>
        (await (await programs.source()!).run(sourceFeeds(source))).memory,
    }),
    warmUp: async (spec) => {
      await Promise.all([programs.source(), programs.step(spec)]);
    },
    release: programs.release,
  };
}

function sourceFeeds({ inputIds, attentionMask, batch, source }: SourceBatch): Record<string, Value> {
  return {
    inputIds: integers([batch, source], inputIds),
    attentionMask: integers([batch, source], attentionMask),
  };
}

/** The source as every step reads it. */
async function readSource(programs: StepPrograms, source: SourceBatch): Promise<Record<string, Value>> {
  const program = await programs.source();
  if (!program) return {};
  const { memory: _, ...memory } = await program.run(sourceFeeds(source));
  return { memoryMask: integers([source.batch, source.source], source.attentionMask), ...memory };
}

/**
 * Reads the source, then the prompt with one row a sentence: all but its last token at once. Its last token is a step as
 * any other; beams begin after it.
 */
async function start(model: Decoder, programs: StepPrograms, feed: StartFeed) {
  const { batch } = feed.source;
  const { promptLength } = feed;
  const capacity = firstCapacity(promptLength, feed.maxLength);
  const state: State = {
    batch,
    beams: 1,
    spec: feed.selection,
    maxLength: feed.maxLength,
    capacity,
    used: 0,
    caches: makeCaches(model, batch, capacity),
    memory: await readSource(programs, feed.source),
  };
  const wanted = feed.selection.attention;
  const promptAttention =
    promptLength > 1
      ? await readPrompt(await programs.prompt(wanted), state, feed)
      : wanted && new Float32Array(0);
  const candidates = await step(await programs.step(feed.selection), state, {
    ...feed,
    tokens: Int32Array.from({ length: batch }, (_, row) => feed.prompt[(row + 1) * promptLength - 1]),
    position: promptLength - 1,
    ancestry: new Int32Array(batch * feed.maxLength),
  });
  return { state: withBeams(state, feed.beams), candidates: { ...candidates, promptAttention } };
}

/**
 * Fills the caches with all of the prompt but its last token.
 * @returns what the program says of attention [batch, promptLength - 1, source]
 */
async function readPrompt(
  program: Program,
  state: State,
  feed: StartFeed,
): Promise<Float32Array | undefined> {
  const length = feed.promptLength - 1;
  const tokens = integers([state.batch, length]);
  for (let row = 0; row < state.batch; row++) {
    const from = row * feed.promptLength;
    tokens.data.set(feed.prompt.subarray(from, from + length), row * length);
  }
  const read = await program.run({ tokens, ...state.memory });
  for (const [name, cache] of Object.entries(state.caches)) {
    copyCache(read[nextName(name)], cache, length, (row) => row);
  }
  state.used = length;
  return read.attention?.data as Float32Array | undefined;
}

function makeCaches(model: Decoder, rows: number, capacity: number): Record<string, Value> {
  const shape = { rows, heads: model.decoderHeads, capacity, size: model.headSize };
  return Object.fromEntries(cacheNames(model).map((name) => [name, makeCache(shape)]));
}

function moveCaches(state: State, rows: number, capacity: number, rowAt: (row: number) => number): void {
  for (const [name, cache] of Object.entries(state.caches)) {
    const [, heads, , size] = cache.shape;
    const wider = makeCache({ rows, heads, capacity, size });
    copyCache(cache, wider, state.used, rowAt);
    state.caches[name] = wider;
  }
  state.capacity = capacity;
  state.bound = undefined;
}

/** Every beam reads the prompt from the first row of its sentence: ancestry is 0 there. */
function withBeams(state: State, beams: number): State {
  if (beams > 1) moveCaches(state, state.batch * beams, state.capacity, (row) => row * beams);
  state.beams = beams;
  state.bound = undefined;
  return state;
}

/** Feeds that last until caches move: the caches themselves, the source, and arrays that each step fills anew. */
function bind(state: State): NonNullable<State['bound']> {
  const { batch, beams, capacity } = state;
  const into: Record<string, Value> = {};
  for (const [name, cache] of Object.entries(state.caches)) into[nextName(name)] = cache;
  const feeds = {
    tokens: integers([batch * beams]),
    position: integers([1]),
    ancestry: integers([batch, beams, capacity]),
    ...state.memory,
    ...state.caches,
  };
  return { feeds, into };
}

async function step(program: Program, state: State, feed: StepFeed): Promise<Candidates> {
  const { batch, beams, spec } = state;
  const rows = batch * beams;
  if (feed.position >= state.capacity) {
    moveCaches(state, rows, nextCapacity(state.capacity, state.maxLength), (row) => row);
  }
  state.bound ??= bind(state);
  const { feeds, into } = state.bound;
  (feeds.tokens.data as Int32Array).set(feed.tokens.subarray(0, rows));
  feeds.position.data[0] = feed.position;
  copyAncestry(state, feed, feeds.ancestry.data as Int32Array);
  const outputs = await program.run(Object.assign(feeds, editFeeds(spec, rows, feed)), into);
  state.used = feed.position + 1;
  const width = spec.candidates === 0 ? outputs.logits.shape[1] : spec.candidates;
  return {
    rows,
    width,
    ids: outputs.ids?.data as Int32Array | undefined,
    logits: outputs.logits.data as Float32Array,
    ownLogits: outputs.ownLogits?.data as Float32Array | undefined,
    lookedUp: outputs.lookedUp?.data as Float32Array | undefined,
    logSumExp: outputs.logSumExp.data as Float32Array,
    attention: outputs.attention?.data as Float32Array | undefined,
  };
}

/** The search's table reaches to maxLength, the cache to its capacity: only the columns in use are copied. */
function copyAncestry({ batch, beams, capacity, maxLength }: State, feed: StepFeed, table: Int32Array): void {
  for (let row = 0; row < batch * beams; row++) {
    const from = row * maxLength;
    table.set(feed.ancestry.subarray(from, from + feed.position + 1), row * capacity);
  }
}

function keep(state: State, sentences: readonly number[]): State {
  const kept = <T extends Record<string, Value>>(values: T, rowsPerSentence: number) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, keepGroups(value, sentences, rowsPerSentence)]),
    );
  state.caches = kept(state.caches, state.beams);
  state.memory = kept(state.memory, 1);
  state.batch = sentences.length;
  state.bound = undefined;
  return state;
}
