import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../engine/compile.js';
import { causalBias } from '../engine/ops/attention.js';
import { rangeTo } from '../engine/ops/sizes.js';
import type { Parameters } from '../engine/parameters.js';
import type { CompileOptions, Program, Signature, Tensors } from '../engine/program.js';
import { createPrograms } from '../engine/programs.js';
import type { SelectionSpec } from '../generation/stepModel.js';
import type { DecodingMode, KeysAndValues } from '../nn/attention.js';
import { type AttentionProbe, createAttentionProbe } from './alignment.js';
import { type Decoder, type EncoderDecoder, readsSource } from './encoderDecoder.js';
import { compileOutputRows, outputRowsOf, outputRowsSignature } from './outputRows.js';
import { written } from './ownPositions.js';
import { selectCandidates, selectionSignature } from './selection.js';

/**
 * The programs of a step model, each compiled at its first use. Only the programs that need a weight read it:
 * the encoder and the cross-attention's keys and values are in one, everything else in the others.
 */
export interface StepPrograms {
  /** Reads sources, once each; undefined for a language model. */
  source(): Promise<Program> | undefined;
  /** Reads the beginnings of prompts, all positions at once, and returns their keys and values, and other requested outputs. */
  prompt(wanted: PromptWishes): Promise<Program>;
  /**
   * Appends a token to every row and selects candidates for the next.
   * @param restricted whether it is fed rows of the output projection, see `readOutputRows`, instead of the whole projection
   */
  step(spec: SelectionSpec, restricted?: boolean): Promise<Program>;
  /** Reads such rows. */
  outputRows(): Promise<Program>;
  /** Reads several tokens of one row with its cache, and returns their keys and values and the logits at each position. */
  extension(): Promise<Program>;
  /** Selects candidates from `stepLogits` [rows, vocabSize]. */
  selection(spec: SelectionSpec): Promise<Program>;
  release(): Promise<void>;
}

/** Outputs of a prompt other than keys and values. */
type PromptWishes = Pick<SelectionSpec, 'attention' | 'hidden'>;

/** The programs of any decoder. */
export function createStepPrograms(model: Decoder, options: CompileOptions): StepPrograms {
  const { get: once, release } = createPrograms();
  const outputRows = () => once('outputRows', () => compileOutputRows(model, options));
  return {
    source: () => (readsSource(model) ? once('source', () => compileEncoder(model, options)) : undefined),
    prompt: ({ attention, hidden = false }) =>
      once(`prompt ${hidden} ${JSON.stringify(attention)}`, () =>
        compilePrompt(model, { attention, hidden }, options),
      ),
    step: (spec, restricted = false) =>
      once(JSON.stringify([spec, restricted]), async () =>
        compileStep(model, spec, options, restricted ? outputRowsSignature(await outputRows()) : undefined),
      ),
    outputRows,
    extension: () => once('extension', () => compileExtension(model, options)),
    selection: (spec) =>
      once(`selection ${JSON.stringify(spec)}`, () => compileSelection(model, spec, options)),
    release,
  };
}

const layersOf = (model: Decoder) => Array.from({ length: model.decoderLayers }, (_, layer) => layer);

/** `key.0` -> `nextKey.0` */
export function nextName(cache: string): string {
  return `next${cache[0].toUpperCase()}${cache.slice(1)}`;
}

/** `key.0` -> `memoryKey.0` */
function memoryName(cache: string): string {
  return `memory${cache[0].toUpperCase()}${cache.slice(1)}`;
}

/** `key.0`, `value.0`, `key.1`, ... */
export function cacheNames(model: Decoder): string[] {
  return layersOf(model).flatMap((layer) => [`key.${layer}`, `value.${layer}`]);
}

const sourceSignature: Signature = {
  inputIds: { type: 'int32', shape: ['batch', 'source'] },
  attentionMask: { type: 'int32', shape: ['batch', 'source'] },
};

function compileEncoder(model: EncoderDecoder, options: CompileOptions): Promise<Program> {
  const fn = (inputs: Tensors, p: Parameters): Tensors => {
    const memory = model.encode(p, inputs.inputIds, inputs.attentionMask);
    const outputs: Tensors = {};
    model.readMemory(p, memory).forEach(({ key, value }, layer) => {
      outputs[`memoryKey.${layer}`] = key;
      outputs[`memoryValue.${layer}`] = value;
    });
    return outputs;
  };
  const keep = cacheNames(model).map(memoryName);
  return compile(fn, sourceSignature, { ...options, keep });
}

/** The encoder's outputs for the decoder; none without an encoder. */
function memorySignature(model: Decoder): Signature {
  if (!readsSource(model)) return {};
  const memory = { type: 'float32', shape: ['batch', model.decoderHeads, 'source', model.headSize] } as const;
  const signature: Signature = { memoryMask: { type: 'int32', shape: ['batch', 'source'] } };
  for (const layer of layersOf(model)) {
    signature[`memoryKey.${layer}`] = memory;
    signature[`memoryValue.${layer}`] = memory;
  }
  return signature;
}

function pairs(model: Decoder, inputs: Tensors, key: string, value: string): KeysAndValues[] {
  return layersOf(model).map((layer) => ({
    key: inputs[`${key}.${layer}`],
    value: inputs[`${value}.${layer}`],
  }));
}

/** @param tokens [rows, length] @param positions [length], or [rows] of one token each */
function decode(
  model: Decoder,
  p: Parameters,
  inputs: Tensors,
  tokens: Tensors[string],
  positions: Tensors[string],
  self: DecodingMode,
  { observe }: AttentionProbe,
) {
  const own = { inputIds: tokens, positions, self };
  if (!readsSource(model)) return model.decode(p, own);
  const memory = pairs(model, inputs, 'memoryKey', 'memoryValue');
  return model.decode(p, { ...own, memory, memoryMask: inputs.memoryMask, observe });
}

function cacheOutputs(caches: readonly KeysAndValues[]): Tensors {
  const outputs: Tensors = {};
  caches.forEach(({ key, value }, layer) => {
    outputs[`nextKey.${layer}`] = key;
    outputs[`nextValue.${layer}`] = value;
  });
  return outputs;
}

function compilePrompt(model: Decoder, wanted: PromptWishes, options: CompileOptions): Promise<Program> {
  const signature: Signature = {
    tokens: { type: 'int32', shape: ['batch', 'target'] },
    ...memorySignature(model),
  };
  const fn = (inputs: Tensors, p: Parameters): Tensors => {
    const positions = rangeTo(inputs.tokens.shape[1]!);
    const self: DecodingMode = { kind: 'sequence', visibility: { causal: true }, keep: true };
    const probe = createAttentionProbe(wanted.attention, model.decoderLayers);
    const { hidden, caches } = decode(model, p, inputs, inputs.tokens, positions, self, probe);
    const weights = probe.weights();
    return {
      ...cacheOutputs(caches),
      ...(weights && { attention: weights }),
      ...(wanted.hidden && { hidden }),
    };
  };
  return compile(fn, signature, { ...options, keep: cacheNames(model).map(nextName) });
}

function stepSignature(model: Decoder, spec: SelectionSpec): Signature {
  const rows = 'batch*beams';
  const cache = { type: 'float32', shape: [rows, model.decoderHeads, 'capacity', model.headSize] } as const;
  return {
    tokens: { type: 'int32', shape: [rows] },
    position: { type: 'int32', shape: [1] },
    ancestry: { type: 'int32', shape: ['batch', 'beams', 'capacity'] },
    ...(spec.ownPositions && { positions: { type: 'int32', shape: [rows] } }),
    ...selectionSignature(spec, rows),
    ...Object.fromEntries(cacheNames(model).map((name) => [name, cache])),
    ...memorySignature(model),
  };
}

/** @param rows inputs for part of the output projection; none if all of it is read */
function compileStep(
  model: Decoder,
  spec: SelectionSpec,
  options: CompileOptions,
  rows?: Signature,
): Promise<Program> {
  const fn = (inputs: Tensors, p: Parameters): Tensors => {
    const probe = createAttentionProbe(spec.attention, model.decoderLayers);
    const { position, positions = position, ancestry, tokens } = inputs;
    const self: DecodingMode = {
      kind: 'cached',
      caches: pairs(model, inputs, 'key', 'value'),
      position: { position, ancestry },
    };
    if (spec.ownPositions) self.visible = written(positions, position, ancestry.shape[2]!);
    const { hidden, caches } = decode(model, p, inputs, tokens, positions, self, probe);
    const weights = probe.weights();
    return {
      ...selectCandidates(model.logits(p, hidden, rows && outputRowsOf(inputs)), spec, inputs),
      ...cacheOutputs(caches),
      ...(weights && { attention: tf.reshape(weights, [hidden.shape[0]!, weights.shape[2]!]) }),
      ...(spec.hidden && { hidden }),
    };
  };
  return compile(
    fn,
    { ...stepSignature(model, spec), ...rows },
    { ...options, keep: cacheNames(model).map(nextName) },
  );
}

function compileExtension(model: Decoder, options: CompileOptions): Promise<Program> {
  const cache = {
    type: 'float32',
    shape: ['batch', model.decoderHeads, 'capacity', model.headSize],
  } as const;
  const signature: Signature = {
    tokens: { type: 'int32', shape: ['batch', 'target'] },
    position: { type: 'int32', shape: [1] },
    ...Object.fromEntries(cacheNames(model).map((name) => [name, cache])),
    ...memorySignature(model),
  };
  const fn = (inputs: Tensors, p: Parameters): Tensors => {
    const { tokens, position } = inputs;
    const caches = pairs(model, inputs, 'key', 'value');
    const target = tokens.shape[1]!;
    const self: DecodingMode = {
      kind: 'extended',
      caches,
      bias: extensionBias(position, caches[0].key.shape[2]!, target),
    };
    const positions = tf.add(rangeTo(target), position);
    const probe = createAttentionProbe(undefined, model.decoderLayers);
    const { hidden, caches: next } = decode(model, p, inputs, tokens, positions, self, probe);
    return { logits: model.logits(p, hidden), ...cacheOutputs(next) };
  };
  return compile(fn, signature, options);
}

/**
 * Each new token attends to the cache up to `position`, to itself and to the new tokens before it. [1, 1, target,
 * capacity + target]
 */
function extensionBias(position: tf.Tensor, capacity: number, target: number): tf.Tensor {
  const stale = tf.mul(tf.cast(tf.greaterEqual(rangeTo(capacity), position), 'float32'), -1e9);
  const own = causalBias(target, target);
  const past = tf.add(tf.mul(tf.slice(own, [0, 0], [target, 1]), 0), tf.expandDims(stale, 0));
  return tf.reshape(tf.concat([past, own], 1), [1, 1, target, capacity + target]);
}

function compileSelection(model: Decoder, spec: SelectionSpec, options: CompileOptions): Promise<Program> {
  const signature: Signature = {
    stepLogits: { type: 'float32', shape: ['rows', model.vocabSize] },
    ...selectionSignature(spec, 'rows'),
  };
  return compile((inputs) => selectCandidates(inputs.stepLogits, spec, inputs), signature, options);
}
