import * as tf from '@tensorflow/tfjs-core';
import { logSumExp } from '../engine/ops/logSumExp.js';
import { rangeTo } from '../engine/ops/sizes.js';
import type { Signature, Tensors } from '../engine/program.js';
import { floats, integers, type Value } from '../engine/values.js';
import type { SelectionSpec, StepEdits } from '../generation/stepModel.js';

/** Inputs of a program that selects candidates, beyond those of the decoder. */
export function selectionSignature(spec: SelectionSpec, rows: string): Signature {
  const signature: Signature = {};
  if (spec.edits !== 'none') signature.cells = { type: 'int32', shape: ['cells', 2] };
  if (spec.edits === 'values') signature.values = { type: 'float32', shape: ['cells'] };
  if (spec.repetitionPenalty !== 1) signature.penalized = { type: 'int32', shape: [rows, 'penalized'] };
  if (spec.rescale) {
    signature.rescaled = { type: 'int32', shape: ['rescaled', 2] };
    signature.factors = { type: 'float32', shape: ['rescaled', 2] };
  }
  if (spec.allowed) signature.allowed = { type: 'int32', shape: [rows, 'allowed'] };
  if (spec.lookup) signature.lookup = { type: 'int32', shape: [rows, 'lookup'] };
  return signature;
}

/** The inputs of `selectionSignature`. */
export function editFeeds(spec: SelectionSpec, rows: number, edits: StepEdits): Record<string, Value> {
  const feeds: Record<string, Value> = {};
  const { cells = new Int32Array(0), rescaled = new Int32Array(0) } = edits;
  if (spec.edits !== 'none') feeds.cells = integers([cells.length / 2, 2], cells);
  if (spec.edits === 'values') feeds.values = floats([cells.length / 2], edits.values);
  if (spec.repetitionPenalty !== 1)
    feeds.penalized = integers([rows, edits.penalizedWidth!], edits.penalized);
  if (spec.rescale) {
    feeds.rescaled = integers([rescaled.length / 2, 2], rescaled);
    feeds.factors = floats([rescaled.length / 2, 2], edits.factors);
  }
  if (spec.allowed) feeds.allowed = integers([rows, edits.allowedWidth!], edits.allowed);
  if (spec.lookup) feeds.lookup = integers([rows, edits.lookupWidth!], edits.lookup);
  return feeds;
}

/**
 * Edits logits and selects the best of each row, so that the host reads a few numbers instead of the vocabulary.
 * @param logits [rows, vocabSize]
 * @param inputs those of `selectionSignature`; their meaning is that of `StepEdits`
 * @returns `logSumExp` [rows], and `ids`, `logits` and, where wanted, `ownLogits` [rows, candidates]; every logit, and
 * no ids, where candidates is 0; `lookedUp` [rows, lookup] where wanted
 */
export function selectCandidates(logits: tf.Tensor, spec: SelectionSpec, inputs: Tensors): Tensors {
  const rawSum = logSumExp(logits);
  // A copy, since tfjs scatters in place on its own CPU backend.
  const raw = spec.rawLogits ? tf.add(logits, 0) : undefined;
  const own = spec.ownLogits ? tf.add(logits, 0) : undefined;
  let edited = logits;
  if (spec.edits !== 'none') edited = change(edited, spec, inputs);
  if (spec.repetitionPenalty !== 1) edited = penalize(edited, inputs.penalized, rawSum, spec);
  if (spec.rescale) edited = rescale(edited, inputs, rawSum, spec);
  const lookedUp = spec.lookup ? gatherColumns(edited, atLeast0(inputs.lookup)) : undefined;
  const choice = spec.allowed
    ? chooseAllowed(edited, inputs.allowed, spec)
    : { ...choose(edited, spec.candidates), logSumExp: spec.renormalize ? logSumExp(edited) : undefined };
  const outputs: Tensors = { logits: choice.logits, logSumExp: choice.logSumExp ?? rawSum };
  if (choice.ids) outputs.ids = choice.ids;
  if (lookedUp) outputs.lookedUp = lookedUp;
  if (raw) outputs.rawLogits = raw;
  if (own) outputs.ownLogits = choice.ids ? gatherColumns(own, atLeast0(choice.ids)) : own;
  return outputs;
}

interface Choice {
  logits: tf.Tensor;
  ids?: tf.Tensor;
  logSumExp?: tf.Tensor;
}

function choose(edited: tf.Tensor, candidates: number): Choice {
  if (candidates === 0) return { logits: tf.add(edited, 0) };
  const { values, indices } = tf.topk(edited, candidates, true);
  return { logits: values, ids: indices };
}

/** The best of the allowed tokens in rows that have a list of them, and of the vocabulary in the others. */
function chooseAllowed(edited: tf.Tensor, allowed: tf.Tensor, spec: SelectionSpec): Choice {
  const [rows, width] = allowed.shape as [number, number];
  const none = tf.scalar(Number.NEGATIVE_INFINITY);
  const named = tf.greaterEqual(allowed, tf.scalar(0, 'int32'));
  const columns = atLeast0(allowed);
  const offered = tf.where(named, gatherColumns(edited, columns), none);
  const restricted = tf.max(tf.cast(named, 'int32'), 1, true);
  const either = (one: tf.Tensor, other: tf.Tensor) =>
    tf.where(tf.greater(restricted, tf.scalar(0, 'int32')), one, other);
  const sum = spec.renormalize
    ? tf.reshape(
        either(tf.reshape(logSumExp(offered), [rows, 1]), tf.reshape(logSumExp(edited), [rows, 1])),
        [rows],
      )
    : undefined;
  if (spec.candidates === 0) {
    // Padding writes the right value to column 0: -Infinity, or the value of an allowed token 0.
    const first = tf.where(
      tf.any(tf.equal(allowed, tf.scalar(0, 'int32')), 1, true),
      tf.slice(edited, [0, 0], [rows, 1]),
      none,
    );
    const values = tf.where(named, offered, tf.add(first, tf.zerosLike(offered)));
    const nothing = tf.fill(edited.shape as number[], Number.NEGATIVE_INFINITY);
    const kept = tf.tensorScatterUpdate(nothing, cellsOf(columns), tf.reshape(values, [rows * width]));
    return { logits: either(kept, edited), logSumExp: sum };
  }
  const free = choose(edited, spec.candidates);
  const bound = choose(offered, spec.candidates);
  return {
    logits: either(bound.logits, free.logits),
    ids: tf.cast(either(gatherColumns(allowed, bound.ids!), free.ids!), 'int32'),
    logSumExp: sum,
  };
}

/** Ids as indices, with -1 replaced. */
function atLeast0(ids: tf.Tensor): tf.Tensor {
  return tf.maximum(ids, tf.scalar(0, 'int32'));
}

/** @param columns int32 [rows, width]; returns their pairs (row, column): [rows * width, 2] */
function cellsOf(columns: tf.Tensor): tf.Tensor {
  const [rows, width] = columns.shape as [number, number];
  const row = tf.mul(tf.reshape(rangeTo(rows), [rows, 1]), tf.onesLike(columns));
  return tf.reshape(tf.stack([row, columns], -1), [rows * width, 2]);
}

/** The values in the given columns of each row. @param columns int32 [rows, width] */
function gatherColumns(values: tf.Tensor, columns: tf.Tensor): tf.Tensor {
  return tf.gather(values, columns, 1, 1);
}

function change(logits: tf.Tensor, spec: SelectionSpec, { cells, values }: Tensors): tf.Tensor {
  const changed =
    spec.edits === 'bans'
      ? tf.fill([cells.shape[0]!], Number.NEGATIVE_INFINITY)
      : tf.add(tf.gatherND(logits, cells), values);
  return tf.tensorScatterUpdate(logits, cells, changed);
}

/** Values below 0 are multiplied by the penalty, others divided (Keskar et al. 2019, section 4.1, as in transformers). */
function penalize(
  logits: tf.Tensor,
  penalized: tf.Tensor,
  rawSum: tf.Tensor,
  spec: SelectionSpec,
): tf.Tensor {
  const [rows, width] = penalized.shape as [number, number];
  const cells = cellsOf(penalized);
  const found = tf.reshape(tf.gatherND(logits, cells), [rows, width]);
  const offset = spec.penaltySpace === 'logProbabilities' ? tf.reshape(rawSum, [rows, 1]) : tf.scalar(0);
  const value = tf.sub(found, offset);
  const lower = tf.where(
    tf.less(value, 0),
    tf.mul(value, spec.repetitionPenalty),
    tf.div(value, spec.repetitionPenalty),
  );
  return tf.tensorScatterUpdate(logits, cells, tf.reshape(tf.add(lower, offset), [rows * width]));
}

/** Multiplies values by the factor for their sign; forbidden tokens stay forbidden. */
function rescale(
  logits: tf.Tensor,
  { rescaled, factors }: Tensors,
  rawSum: tf.Tensor,
  spec: SelectionSpec,
): tf.Tensor {
  const count = rescaled.shape[0]!;
  const found = tf.gatherND(logits, rescaled);
  const rows = tf.reshape(tf.slice(rescaled, [0, 0], [count, 1]), [count]);
  const offset = spec.penaltySpace === 'logProbabilities' ? tf.gather(rawSum, rows) : tf.scalar(0);
  const value = tf.sub(found, offset);
  const factor = (column: number) => tf.reshape(tf.slice(factors, [0, column], [count, 1]), [count]);
  const scaled = tf.add(tf.mul(value, tf.where(tf.less(value, 0), factor(0), factor(1))), offset);
  return tf.tensorScatterUpdate(logits, rescaled, tf.where(tf.isFinite(found), scaled, found));
}
