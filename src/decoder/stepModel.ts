import { compile } from '../engine/compile.js';
import type { Parameters } from '../engine/parameters.js';
import type { CompileOptions, Program, Signature, Tensors } from '../engine/program.js';
import { integers, type Value } from '../engine/values.js';
import type {
  Candidates,
  DecodingState,
  SelectionSpec,
  SourceBatch,
  StartFeed,
  StepEdits,
  StepFeed,
  StepModel,
} from '../generation/stepModel.js';
import { copyCache, firstCapacity, keepGroups, makeCache, nextCapacity } from './cacheMemory.js';
import type { EncoderDecoder } from './encoderDecoder.js';
import { editFeeds, selectCandidates, selectionSignature } from './selection.js';

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
  /** `memoryKey.0`, `memoryValue.0`, ...: [batch, heads, source, size] */
  memory: Record<string, Value>;
  /** [batch, source] */
  memoryMask: Value;
  /** What every step is fed and writes, until caches move; the same values are used again and again. */
  bound?: { feeds: Record<string, Value>; into: Record<string, Value> };
}

/** Serves an encoder-decoder to the search: one program reads the source, one appends a token to every row. */
export interface SequenceModel extends StepModel {
  /** The encoder's output alone. [batch, source, features] */
  encode(source: SourceBatch): Promise<Value>;
  /** Compiles what greedy or beam search will need, so that the first request does not wait. */
  warmUp(spec: SelectionSpec): Promise<void>;
  /** Frees the programs. */
  release(): Promise<void>;
}

/**
 * A step model over compiled programs. Weights are read by the program that needs them and by no other: the encoder
 * and the cross-attention's keys and values in one, all else in the other.
 */
export function createStepModel(model: EncoderDecoder, options: CompileOptions): SequenceModel {
  let encoder: Promise<Program> | undefined;
  const steps = new Map<string, Promise<Program>>();
  const encoderProgram = () => {
    encoder ??= compileEncoder(model, options);
    return encoder;
  };
  const stepProgram = (spec: SelectionSpec) => {
    const key = JSON.stringify(spec);
    const known = steps.get(key) ?? compileStep(model, spec, options);
    steps.set(key, known);
    return known;
  };
  return {
    vocabSize: model.vocabSize,
    maxPositions: model.maxTarget,
    start: async (feed) => start(model, await encoderProgram(), await stepProgram(feed.selection), feed),
    step: async (state, feed) => step(await stepProgram((state as State).spec), state as State, feed),
    keep: async (state, sentences) => keep(state as State, sentences),
    dispose: (state) => {
      (state as State).caches = {};
      (state as State).memory = {};
      (state as State).bound = undefined;
    },
    encode: async (source) => (await (await encoderProgram()).run(sourceFeeds(source))).memory,
    warmUp: async (spec) => {
      await Promise.all([encoderProgram(), stepProgram(spec)]);
    },
    release: async () => {
      const programs = await Promise.all([...steps.values(), ...(encoder ? [encoder] : [])]);
      await Promise.all(programs.map((program) => program.dispose()));
      steps.clear();
      encoder = undefined;
    },
  };
}

const layersOf = (model: EncoderDecoder) => Array.from({ length: model.decoderLayers }, (_, layer) => layer);

const sourceSignature: Signature = {
  inputIds: { type: 'int32', shape: ['batch', 'source'] },
  attentionMask: { type: 'int32', shape: ['batch', 'source'] },
};

function compileEncoder(model: EncoderDecoder, options: CompileOptions): Promise<Program> {
  const fn = (inputs: Tensors, p: Parameters): Tensors => {
    const memory = model.encode(p, inputs.inputIds, inputs.attentionMask);
    const outputs: Tensors = { memory };
    model.readMemory(p, memory).forEach(({ key, value }, layer) => {
      outputs[`memoryKey.${layer}`] = key;
      outputs[`memoryValue.${layer}`] = value;
    });
    return outputs;
  };
  return compile(fn, sourceSignature, options);
}

function stepSignature(model: EncoderDecoder, spec: SelectionSpec): Signature {
  const rows = 'batch*beams';
  const cache = { type: 'float32', shape: [rows, model.decoderHeads, 'capacity', model.headSize] } as const;
  const memory = { type: 'float32', shape: ['batch', model.decoderHeads, 'source', model.headSize] } as const;
  const signature: Signature = {
    tokens: { type: 'int32', shape: [rows] },
    position: { type: 'int32', shape: [1] },
    ancestry: { type: 'int32', shape: ['batch', 'beams', 'capacity'] },
    memoryMask: { type: 'int32', shape: ['batch', 'source'] },
    ...selectionSignature(spec, rows),
  };
  for (const layer of layersOf(model)) {
    signature[`key.${layer}`] = cache;
    signature[`value.${layer}`] = cache;
    signature[`memoryKey.${layer}`] = memory;
    signature[`memoryValue.${layer}`] = memory;
  }
  return signature;
}

function compileStep(model: EncoderDecoder, spec: SelectionSpec, options: CompileOptions): Promise<Program> {
  const pairs = (inputs: Tensors, key: string, value: string) =>
    layersOf(model).map((layer) => ({ key: inputs[`${key}.${layer}`], value: inputs[`${value}.${layer}`] }));
  const fn = (inputs: Tensors, p: Parameters): Tensors => {
    const { hidden, caches } = model.decode(p, {
      inputIds: inputs.tokens.reshape([inputs.tokens.size, 1]),
      positions: inputs.position,
      memory: pairs(inputs, 'memoryKey', 'memoryValue'),
      memoryMask: inputs.memoryMask,
      self: {
        kind: 'cached',
        caches: pairs(inputs, 'key', 'value'),
        position: { position: inputs.position, ancestry: inputs.ancestry },
      },
    });
    const rows = hidden.reshape([hidden.shape[0]!, hidden.shape[2]!]);
    const outputs = selectCandidates(model.logits(p, rows), spec, inputs);
    caches.forEach(({ key, value }, layer) => {
      outputs[`nextKey.${layer}`] = key;
      outputs[`nextValue.${layer}`] = value;
    });
    return outputs;
  };
  return compile(fn, stepSignature(model, spec), options);
}

function sourceFeeds({ inputIds, attentionMask, batch, source }: SourceBatch): Record<string, Value> {
  return {
    inputIds: integers([batch, source], inputIds),
    attentionMask: integers([batch, source], attentionMask),
  };
}

/** Reads the source, then the prompt token by token with one row a sentence; beams begin after it. */
async function start(model: EncoderDecoder, encoder: Program, program: Program, feed: StartFeed) {
  const { memory: _, ...memory } = await encoder.run(sourceFeeds(feed.source));
  const { batch } = feed.source;
  const capacity = firstCapacity(feed.promptLength, feed.maxLength);
  const state: State = {
    batch,
    beams: 1,
    spec: feed.selection,
    maxLength: feed.maxLength,
    capacity,
    used: 0,
    caches: makeCaches(model, batch, capacity),
    memory,
    memoryMask: integers([batch, feed.source.source], feed.source.attentionMask),
  };
  const ancestry = new Int32Array(batch * feed.maxLength);
  const tokens = new Int32Array(batch);
  let candidates: Candidates | undefined;
  for (let position = 0; position < feed.promptLength; position++) {
    for (let row = 0; row < batch; row++) tokens[row] = feed.prompt[row * feed.promptLength + position];
    const last = position === feed.promptLength - 1;
    // Edits belong to the choice after the whole prompt.
    const edits = last ? feed : unedited(feed);
    candidates = await step(program, state, { ...edits, tokens, position, ancestry });
  }
  return { state: withBeams(state, feed.beams), candidates: candidates! };
}

/** What a program that expects edits is given where none apply. */
function unedited(feed: StartFeed): StepEdits {
  const { repetitionPenalty, allowed, candidates, lookup } = feed.selection;
  const edits: StepEdits = {};
  if (repetitionPenalty !== 1) {
    edits.penalized = feed.prompt;
    edits.penalizedWidth = feed.promptLength;
  }
  if (allowed) {
    edits.allowedWidth = Math.max(1, candidates);
    edits.allowed = new Int32Array(feed.source.batch * edits.allowedWidth).fill(-1);
  }
  if (lookup) {
    edits.lookupWidth = 1;
    edits.lookup = new Int32Array(feed.source.batch).fill(-1);
  }
  return edits;
}

function makeCaches(model: EncoderDecoder, rows: number, capacity: number): Record<string, Value> {
  const shape = { rows, heads: model.decoderHeads, capacity, size: model.headSize };
  const caches: Record<string, Value> = {};
  for (const layer of layersOf(model)) {
    caches[`key.${layer}`] = makeCache(shape);
    caches[`value.${layer}`] = makeCache(shape);
  }
  return caches;
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
    memoryMask: state.memoryMask,
    ...state.memory,
    ...state.caches,
  };
  return { feeds, into };
}

/** `key.0` -> `nextKey.0` */
function nextName(cache: string): string {
  return `next${cache[0].toUpperCase()}${cache.slice(1)}`;
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
  state.memoryMask = keepGroups(state.memoryMask, sentences, 1);
  state.batch = sentences.length;
  state.bound = undefined;
  return state;
}
