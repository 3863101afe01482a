import { disposeValues } from '../engine/deviceValues.js';
import { giveBack } from '../engine/hostMemory.js';
import { type CompileOptions, type Program, runKeeping } from '../engine/program.js';
import { disposed, releaseAll } from '../engine/programs.js';
import type { WeightPrecision } from '../engine/quantize.js';
import { type AnyValue, integers, type Value } from '../engine/values.js';
import type {
  Candidates,
  DecodingState,
  EveryCandidateField,
  SelectionSpec,
  SourceBatch,
  StartFeed,
  StepEdits,
  StepFeed,
  StepModel,
} from '../generation/stepModel.js';
import { adopt, cutSources } from './adopt.js';
import { type CacheMemory, firstCapacity, type KeptValues, nextCapacity } from './cacheMemory.js';
import { deviceCacheMemory } from './deviceCacheMemory.js';
import { type Decoder, readsSource } from './encoderDecoder.js';
import { extend, logitsAt, selectionFeeds } from './extension.js';
import { hostCacheMemory } from './hostCacheMemory.js';
import { readOutputRows } from './outputRows.js';
import { placeRows, settleRows } from './ownPositions.js';
import { editFeeds } from './selection.js';
import type { Bound, State } from './state.js';
import { cacheNames, createStepPrograms, nextName, type StepPrograms } from './stepPrograms.js';

/** The step model of any decoder, with or without an encoder. */
export interface SequenceModel extends StepModel {
  /** Compiles the programs of greedy or beam search, so that the first request does not wait. */
  warmUp(spec: SelectionSpec): Promise<void>;
  /** Frees the programs when their runs have ended; later calls are refused (MODEL_DISPOSED). */
  release(): Promise<void>;
}

/** A step model over compiled programs: one reads the source, one a long prompt, one appends a token to every row. */
export function createStepModel(model: Decoder, options: CompileOptions): SequenceModel {
  const programs = createStepPrograms(model, options);
  let memory: CacheMemory | undefined;
  let released = false;
  const memoryFor = (program: Program) => {
    // No code would free its own programs.
    if (released) throw disposed('model');
    memory ??= cacheMemoryOf(program, options);
    return memory;
  };
  return {
    vocabSize: model.vocabSize,
    maxPositions: model.maxTarget,
    givesHidden: true,
    ...(readsSource(model) && {
      attention: { layers: model.decoderLayers, heads: model.decoderHeads },
      // Int8 products are scaled by the largest number at all positions, padding included.
      maxSource: options.weightPrecision === 'int8' ? undefined : model.maxSource,
    }),
    takesVocabulary: true,
    start: async (feed) => {
      const program = await programs.step(feed.selection, feed.vocabulary !== undefined);
      return start(model, programs, memoryFor(program), program, feed, options.weightPrecision);
    },
    step: async (state, feed) => {
      const { spec, output } = state as State;
      const program = await programs.step(spec, output !== undefined);
      return step(memoryFor(program), program, state as State, feed);
    },
    keep: async (state, sentences, source) => keep(memory!, state as State, sentences, source),
    // Caches outside the host's memory cannot be rearranged here.
    ...((options.device ?? 'cpu') === 'cpu' && {
      adopt: (into: DecodingState, from: DecodingState, places: readonly number[]) =>
        adopt(into as State, from as State, places),
    }),
    ...(givesPlaces(options) && {
      extend: async (state: DecodingState, tokens: Int32Array, position: number) =>
        extend(await programs.extension(), state as State, tokens, position),
      select: async (given: DecodingState, place: number, edits: StepEdits) => {
        const state = given as State;
        const program = await programs.selection(state.spec);
        const feeds = selectionFeeds(state, logitsAt(state, place), edits);
        return candidatesOf(await program.run(feeds), state.spec, 1);
      },
    }),
    dispose: (state) => free(state as State),
    warmUp: async (spec) => {
      await Promise.all([programs.source(), programs.step(spec)]);
    },
    release: async () => {
      released = true;
      await releaseAll([programs.release, async () => memory?.release()]);
    },
  };
}

/** The memory in which a step program reads and writes its caches. */
function cacheMemoryOf(program: Program, options: CompileOptions): CacheMemory {
  return program.resident.length === 0 ? hostCacheMemory : deviceCacheMemory(options);
}

/** Int8 products are scaled by the largest number at all positions, so that one position would change another's result. */
function givesPlaces({ device = 'cpu', weightPrecision }: CompileOptions): boolean {
  return device === 'cpu' && weightPrecision !== 'int8';
}

function sourceFeeds({ inputIds, attentionMask, batch, source }: SourceBatch): Record<string, Value> {
  return {
    inputIds: integers([batch, source], inputIds),
    attentionMask: integers([batch, source], attentionMask),
  };
}

/** Every step's inputs from the source. */
async function readSource(
  programs: StepPrograms,
  memory: CacheMemory,
  source: SourceBatch,
): Promise<KeptValues> {
  const program = await programs.source();
  if (!program) return {};
  const feeds = sourceFeeds(source);
  const read = await runKeeping(program, feeds);
  try {
    return { memoryMask: await memory.place(feeds.attentionMask), ...read };
  } catch (error) {
    disposeValues(read);
    throw error;
  }
}

/** The rows of the output projection that every step multiplies by; undefined where all of them are. */
async function readRows(
  programs: StepPrograms,
  memory: CacheMemory,
  { vocabulary, selection }: StartFeed,
  precision: WeightPrecision | undefined,
): Promise<KeptValues | undefined> {
  if (!vocabulary) return undefined;
  const every = selection.candidates === 0;
  const rows = await readOutputRows(await programs.outputRows(), vocabulary, !every, precision);
  const placed: KeptValues = {};
  for (const [name, value] of Object.entries(rows)) placed[name] = await memory.place(value);
  return placed;
}

/**
 * Reads the source, then the prompt with one row a sentence: all but its last token at once. Its last token is a step like
 * any other; beams begin after it.
 */
async function start(
  model: Decoder,
  programs: StepPrograms,
  memory: CacheMemory,
  program: Program,
  feed: StartFeed,
  precision: WeightPrecision | undefined,
) {
  const { batch } = feed.source;
  const { promptLength } = feed;
  const state: State = {
    batch,
    beams: 1,
    spec: feed.selection,
    maxLength: feed.maxLength,
    capacity: firstCapacity(promptLength, feed.maxLength),
    used: promptLength - 1,
    lengths: new Int32Array(batch),
    caches: {},
    memory: {},
  };
  try {
    state.memory = await readSource(programs, memory, feed.source);
    state.output = await readRows(programs, memory, feed, precision);
    const read = await beginCaches(model, programs, memory, state, feed);
    const candidates = await step(memory, program, state, {
      ...feed,
      tokens: Int32Array.from({ length: batch }, (_, row) => feed.prompt[(row + 1) * promptLength - 1]),
      position: promptLength - 1,
      positions: new Int32Array(batch).fill(promptLength - 1),
      ancestry: new Int32Array(batch * promptLength),
    });
    // Every beam reads the prompt from the first row of its sentence: ancestry is 0 there.
    if (feed.beams > 1) state.caches = await memory.spread(state.caches, feed.beams, state.used);
    state.beams = feed.beams;
    state.bound = undefined;
    candidates.promptAttention = read.attention;
    if (read.hidden && candidates.hidden) candidates.hidden = joinRows(read.hidden, candidates.hidden, batch);
    return { state, candidates };
  } catch (error) {
    free(state);
    throw error;
  }
}

/** Outputs for a prompt without its last token. */
interface PromptRead {
  /** [batch, promptLength - 1, source] */
  attention?: Float32Array;
  /** [batch, promptLength - 1, features] */
  hidden?: Float32Array;
}

/** Fills the caches with all of the prompt but its last token. */
async function beginCaches(
  model: Decoder,
  programs: StepPrograms,
  memory: CacheMemory,
  state: State,
  { prompt, promptLength, selection: { attention, hidden } }: StartFeed,
): Promise<PromptRead> {
  const { batch, capacity, used } = state;
  const names = cacheNames(model);
  if (used === 0) {
    const shape = { rows: batch, heads: model.decoderHeads, capacity, size: model.headSize };
    state.caches = await memory.zeros(names, shape);
    return { attention: attention && new Float32Array(0) };
  }
  const tokens = integers([batch, used]);
  for (let row = 0; row < batch; row++) {
    const from = row * promptLength;
    tokens.data.set(prompt.subarray(from, from + used), row * used);
  }
  const read = await runKeeping(await programs.prompt({ attention, hidden }), { tokens, ...state.memory });
  state.caches = Object.fromEntries(names.map((name) => [name, read[nextName(name)]]));
  state.caches = await memory.grow(state.caches, capacity, used);
  const dataOf = (value?: AnyValue) => (value as Value | undefined)?.data as Float32Array | undefined;
  return { attention: dataOf(read.attention), hidden: dataOf(read.hidden) };
}

/** Interleaves the rows of two arrays. */
function joinRows(first: Float32Array, second: Float32Array, rows: number): Float32Array {
  const joined = new Float32Array(first.length + second.length);
  const [one, other] = [first.length / rows, second.length / rows];
  for (let row = 0; row < rows; row++) {
    joined.set(first.subarray(row * one, (row + 1) * one), row * (one + other));
    joined.set(second.subarray(row * other, (row + 1) * other), row * (one + other) + one);
  }
  return joined;
}

/** Feeds that last until caches move: the caches themselves, the source, and arrays that each step fills anew. */
function bind({ batch, beams, spec, capacity, caches, memory, output }: State): Bound {
  const into: Bound['into'] = {};
  for (const [name, cache] of Object.entries(caches)) into[nextName(name)] = cache;
  const small = {
    tokens: integers([batch * beams]),
    position: integers([1]),
    ancestry: integers([batch, beams, capacity]),
    ...(spec.ownPositions && { positions: integers([batch * beams]) }),
  };
  return { feeds: { ...small, ...memory, ...caches, ...output }, small, into };
}

async function step(
  memory: CacheMemory,
  program: Program,
  state: State,
  feed: StepFeed,
): Promise<Candidates> {
  const { batch, beams, spec } = state;
  const rows = batch * beams;
  const places = spec.ownPositions ? placeRows(feed.positions!, state.lengths) : undefined;
  const position = places?.slot ?? feed.position;
  if (position >= state.capacity) {
    state.capacity = Math.max(position + 1, nextCapacity(state.capacity, state.maxLength));
    state.caches = await memory.grow(state.caches, state.capacity, state.used);
    state.bound = undefined;
  }
  state.bound ??= bind(state);
  const { feeds, small, into } = state.bound;
  (small.tokens.data as Int32Array).set(feed.tokens.subarray(0, rows));
  small.position.data[0] = position;
  copyAncestry(state, feed, small.ancestry.data as Int32Array);
  if (places) {
    for (let row = 0; row < rows; row++) {
      small.positions!.data[row] = Math.max(0, places.positions[Math.floor(row / beams)]);
      small.ancestry.data[row * state.capacity + position] = row % beams;
    }
  }
  const outputs = await program.run(Object.assign(feeds, editFeeds(spec, rows, feed)), into);
  state.used = places ? Math.max(state.used, position + 1) : position + 1;
  if (places) {
    for (const cache of Object.values(state.caches)) settleRows(cache as Value, places);
    places.positions.forEach((own, sentence) => {
      if (own >= 0) state.lengths[sentence] = own + 1;
    });
  }
  return candidatesOf(outputs, spec, rows);
}

/** The candidates in a program's outputs. */
function candidatesOf(
  outputs: Record<string, Value>,
  spec: SelectionSpec,
  rows: number,
): EveryCandidateField {
  const width = spec.candidates === 0 ? outputs.logits.shape[1] : spec.candidates;
  return {
    rows,
    width,
    ids: outputs.ids?.data as Int32Array | undefined,
    logits: outputs.logits.data as Float32Array,
    ownLogits: outputs.ownLogits?.data as Float32Array | undefined,
    lookedUp: outputs.lookedUp?.data as Float32Array | undefined,
    logSumExp: outputs.logSumExp.data as Float32Array,
    rawLogits: outputs.rawLogits?.data as Float32Array | undefined,
    attention: outputs.attention?.data as Float32Array | undefined,
    promptAttention: undefined,
    hidden: outputs.hidden?.data as Float32Array | undefined,
  };
}

/** The feed's table may have other columns than the cache has positions: only those in use are copied. */
function copyAncestry({ batch, beams, capacity }: State, feed: StepFeed, table: Int32Array): void {
  const columns = feed.ancestry.length / (batch * beams);
  for (let row = 0; row < batch * beams; row++) {
    const from = row * columns;
    const position = feed.positions?.[Math.floor(row / beams)] ?? feed.position;
    table.set(feed.ancestry.subarray(from, from + position + 1), row * capacity);
  }
}

async function keep(
  memory: CacheMemory,
  state: State,
  sentences: readonly number[],
  source?: number,
): Promise<State> {
  state.caches = await memory.keep(state.caches, sentences, state.beams);
  state.memory = await memory.keep(state.memory, sentences, 1);
  if (source !== undefined) cutSources(state, source);
  state.lengths = Int32Array.from(sentences, (sentence) => state.lengths[sentence]);
  state.batch = sentences.length;
  state.bound = undefined;
  return state;
}

function free(state: State): void {
  disposeValues(state.caches);
  giveBack(state.caches);
  disposeValues(state.memory);
  giveBack(state.memory);
  if (state.output) disposeValues(state.output);
  state.caches = {};
  state.memory = {};
  state.output = undefined;
  state.placeLogits = undefined;
  state.bound = undefined;
}
