import type * as tf from '@tensorflow/tfjs-core';
import type { Attribute } from './graph.js';
import { currentTrace, isTracing } from './traceBackend.js';

/**
 * Computes `compute(...inputs)`, and while tracing marks the recorded nodes as the operation `name`, so that a pass can
 * replace them by one fused node. Without a replacement, or eagerly, the plain operations compute the result.
 */
export function region(
  name: string,
  inputs: readonly tf.Tensor[],
  attributes: Record<string, Attribute>,
  compute: (...inputs: tf.Tensor[]) => tf.Tensor[],
): tf.Tensor[] {
  if (!isTracing()) return compute(...inputs);
  const trace = currentTrace();
  const from = inputs.map((input) => trace.valueOf(input).name);
  const first = trace.graph.nodes.length;
  const outputs = compute(...inputs);
  const values = trace.graph.nodes.slice(first).flatMap((node) => node.outputs);
  const to = outputs.map((output) => trace.valueOf(output).name);
  trace.graph.regions.push({ name, inputs: from, outputs: to, values, attributes });
  return outputs;
}
