import { anySignal, createEventStream, type EventStream } from './eventStream.js';
import { generate } from './generate.js';
import type { Batching, GenerationInput } from './inputs.js';
import { type DecodingRules, type ResolvedGenerationOptions, requireResolved } from './options.js';
import type { OutputProgress } from './progress.js';
import type { StepModel } from './stepModel.js';

/**
 * As `generate`, with events after each step. The last event of an input holds its `sequences`, which are exactly those that
 * `generate` returns; of an input's events, those of one step follow one another in the order of samples.
 *
 * @param options from `resolveGenerationOptions`
 * @returns a stream that throws what `generate` throws
 */
export function streamGeneration(
  model: StepModel,
  inputs: readonly GenerationInput[],
  options: ResolvedGenerationOptions,
  modelRules: DecodingRules,
  batching: Batching = {},
): EventStream<OutputProgress> {
  requireResolved(options);
  return createEventStream(async (emit, cancelled) => {
    const signal = anySignal(cancelled, options.signal);
    await generate(model, inputs, { ...options, signal }, modelRules, batching, async (progress) => {
      for (const one of progress) await emit(one);
    });
  });
}
