import { PolybeamError } from '../errors.js';
import { type BackPointers, rowsOf } from './backPointers.js';
import type { GenerationOptions, ResolvedGenerationOptions } from './optionsSchema.js';
import type { Candidates, StepModel } from './stepModel.js';

/** The attention that gives the alignment: see the options of these names. */
export type AlignmentSource = Pick<GenerationOptions, 'alignmentLayer' | 'alignmentHeads'>;

/**
 * The attention over the source for each choice of a search: one array for each step, shared by all hypotheses. A hypothesis
 * finds its own rows by its back-pointers, so that nothing is copied when beams branch.
 */
export interface AttentionLog {
  /** Width of a row: the source with its padding. */
  readonly source: number;
  /** Of the prompts' tokens but the first. [batch, promptLength - 1, source] */
  prompts: Float32Array;
  /** Of each step. [rows, source] */
  readonly steps: Float32Array[];
}

/** An empty log. */
export function createAttentionLog(source: number): AttentionLog {
  return { source, prompts: new Float32Array(0), steps: [] };
}

/** Copies the attention of a step, before the model's next call overwrites it. */
export function logAttention(log: AttentionLog, { attention, promptAttention }: Candidates): void {
  log.steps.push((attention as Float32Array).slice());
  if (promptAttention) log.prompts = promptAttention;
}

/**
 * The rows of a hypothesis: those of its prompt, the first token left out, then one for each new token.
 *
 * @param sentence index in the batch as it was at the start
 * @param promptLength of the batch
 * @returns views of the log, [source] each
 */
export function attentionOf(
  log: AttentionLog,
  pointers: BackPointers,
  node: number,
  sentence: number,
  promptLength: number,
): Float32Array[] {
  const { source, prompts, steps } = log;
  const rowAt = (values: Float32Array, row: number) => values.subarray(row * source, (row + 1) * source);
  const own = Array.from({ length: promptLength - 1 }, (_, at) =>
    rowAt(prompts, sentence * (promptLength - 1) + at),
  );
  return [...own, ...rowsOf(pointers, node).map((row, step) => rowAt(steps[step], row))];
}

/** Whether a search reads the model's attention over the source. */
export function wantsAttention({ returnAttention, coveragePenalty }: ResolvedGenerationOptions): boolean {
  return returnAttention || coveragePenalty > 0;
}

/**
 * Refuses options that read attention of a model that has none, or other layers and heads than it has.
 *
 * @throws PolybeamError ATTENTION_MISSING, OPTION_INVALID
 */
export function requireAttention(
  { attention }: Pick<StepModel, 'attention'>,
  options: ResolvedGenerationOptions,
): void {
  if (!wantsAttention(options)) return;
  if (!attention) {
    const name = options.returnAttention ? 'returnAttention' : 'coveragePenalty';
    throw new PolybeamError(
      'ATTENTION_MISSING',
      `${name} needs attention over the source, which this model does not have; leave it out.`,
    );
  }
  checkAlignmentSource(attention, options);
}

/** @throws PolybeamError OPTION_INVALID for a layer or head that the model does not have */
export function checkAlignmentSource(
  { layers, heads }: NonNullable<StepModel['attention']>,
  { alignmentLayer = 0, alignmentHeads = [] }: AlignmentSource,
): void {
  const refuse = (name: string, value: number, count: number) => {
    throw new PolybeamError(
      'OPTION_INVALID',
      `Option ${name} cannot be ${value}: the decoder's are numbered 0 to ${count - 1}.`,
    );
  };
  if (!(alignmentLayer < layers)) refuse('alignmentLayer', alignmentLayer, layers);
  const head = alignmentHeads.find((one) => !(one < heads));
  if (head !== undefined) refuse('alignmentHeads', head, heads);
}
