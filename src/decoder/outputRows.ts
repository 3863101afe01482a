import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../engine/compile.js';
import type { Parameters } from '../engine/parameters.js';
import type { CompileOptions, Program, Signature, Tensors } from '../engine/program.js';
import { type WeightPrecision, weightFeeds } from '../engine/quantize.js';
import { integers, type Value } from '../engine/values.js';
import type { Decoder, OutputProjection } from './encoderDecoder.js';

/*
 * The output projection over part of the vocabulary: its rows are read once for each batch and fed to every step, so
 * a step multiplies by some thousand rows instead of all.
 */

/** Lengths of the lists are rounded up to multiples of this, so that the runtime gets few different lengths. */
const roundTo = 32;

/** Reads rows of the output projection, in float32; any rounding is done afterwards. */
export function compileOutputRows(model: Decoder, options: CompileOptions): Promise<Program> {
  const fn = ({ ids }: Tensors, p: Parameters): Tensors => {
    const { matrix, bias } = model.output(p);
    return {
      outputMatrix: tf.gather(matrix, ids as tf.Tensor1D),
      outputBias: bias ? tf.gather(bias, ids as tf.Tensor1D) : tf.fill([ids.shape[0]!], 0),
    };
  };
  // The host gathers once a batch; on a GPU the whole table would have to stay in its memory for that.
  const device = options.device?.startsWith('tfjs:') ? options.device : 'cpu';
  const signature: Signature = { ids: { type: 'int32', shape: ['vocabulary'] } };
  return compile(fn, signature, { ...options, device, weightPrecision: 'float32' });
}

/** Inputs of a step over some rows. @param rows from `compileOutputRows` */
export function outputRowsSignature(rows: Program): Signature {
  const features = rows.outputs.find(({ name }) => name === 'outputMatrix')!.shape[1];
  return {
    // The bias is first, since the number of rows is read from it; rounding transposes the matrix.
    outputBias: { type: 'float32', shape: ['vocabulary'] },
    outputMatrix: { type: 'float32', shape: ['vocabulary', features], asWeight: true },
  };
}

/** The projection from the inputs of `outputRowsSignature`. */
export function outputRowsOf({ outputMatrix, outputBias }: Tensors): OutputProjection {
  return { matrix: outputMatrix, bias: outputBias };
}

/**
 * Feeds for the inputs of `outputRowsSignature`.
 * @param rows from `compileOutputRows`
 * @param ids of the tokens
 * @param padded whether the list may be padded by rows whose logits are -Infinity
 */
export async function readOutputRows(
  rows: Program,
  ids: Int32Array,
  padded: boolean,
  precision: WeightPrecision = 'float32',
): Promise<Record<string, Value>> {
  const count = padded ? Math.ceil(ids.length / roundTo) * roundTo : ids.length;
  const list = integers([count]);
  (list.data as Int32Array).set(ids);
  const { outputMatrix, outputBias } = await rows.run({ ids: list });
  (outputBias.data as Float32Array).fill(Number.NEGATIVE_INFINITY, ids.length);
  return { outputBias, ...weightFeeds('outputMatrix', outputMatrix, precision) };
}
