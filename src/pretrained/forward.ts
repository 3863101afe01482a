import type { Program } from '../engine/program.js';
import { integers, type Value } from '../engine/values.js';
import { PolybeamError } from '../errors.js';
import { requireIds, requireKeys, requireList, requireMask, requireObject } from '../inputs.js';
import type { ModelDefinition } from './architectures/definition.js';
import { requireLanguagesBefore } from './languages.js';
import type { ModelParts } from './modelParts.js';

/** One sequence for `forward`. */
export interface ForwardInput {
  inputIds: readonly number[];
  attentionMask?: readonly number[];
  /** Segments, for models that have them. */
  tokenTypeIds?: readonly number[];
  /** The language of each token, by its number (`lang2id` in config.json), for models that have languages; default none. */
  langs?: readonly number[];
  /** What the decoder has written so far; default its start token. */
  decoderInputIds?: readonly number[];
}

export interface ForwardOutput {
  /** [target, vocabSize] */
  logits?: number[][];
  /** [source, hiddenSize] */
  lastHiddenState?: number[][];
  /** [hiddenSize] */
  poolerOutput?: number[];
}

const keysOfForward = ['inputIds', 'attentionMask', 'tokenTypeIds', 'langs', 'decoderInputIds'] as const;

/** See `Model.forward`. */
export async function forward(
  parts: ModelParts,
  program: Program,
  input: ForwardInput,
): Promise<ForwardOutput> {
  requireObject(input, 'The input', 'inputIds');
  requireKeys(input, keysOfForward, 'The input');
  requireIds(input.inputIds, 'inputIds', parts.idCounts.inputIds);
  const length = input.inputIds.length;
  if (length === 0 || length > parts.maxSource) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `inputIds has ${length} ids; forward takes 1 to ${parts.maxSource}.`,
    );
  }
  requireLanguagesBefore(parts.languages, input.inputIds, 'inputIds');
  const row = (ids: readonly number[]) => integers([1, ids.length], Int32Array.from(ids));
  const given: Record<string, readonly number[]> = {
    inputIds: input.inputIds,
    attentionMask: input.attentionMask ?? Array(length).fill(1),
    tokenTypeIds: input.tokenTypeIds ?? Array(length).fill(0),
    langs: input.langs ?? Array(length).fill(-1),
    decoderInputIds: input.decoderInputIds ?? [parts.generation?.rules.decoderStartTokenId ?? 0],
  };
  if (input.attentionMask !== undefined) requireMask(input.attentionMask, length, 'attentionMask');
  for (const name of ['tokenTypeIds', 'langs']) {
    requireList(given[name], name, 'numbers');
    if (given[name].length !== length) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `${name} has ${given[name].length} values for ${length} inputIds; give one each.`,
      );
    }
  }
  for (const { name } of program.inputs) {
    if (name === 'langs' && input.langs === undefined) continue;
    requireIds(given[name], name, parts.idCounts[name as keyof ModelDefinition['idCounts']] ?? 2);
  }
  const outputs = await program.run(
    Object.fromEntries(program.inputs.map(({ name }) => [name, row(given[name])])),
  );
  return {
    ...(outputs.logits && { logits: rowsOf(outputs.logits) }),
    ...(outputs.lastHiddenState && { lastHiddenState: rowsOf(outputs.lastHiddenState) }),
    ...(outputs.poolerOutput && { poolerOutput: rowsOf(outputs.poolerOutput)[0] }),
  };
}

/** The rows of the last axis. */
function rowsOf({ data, shape }: Value): number[][] {
  const width = shape[shape.length - 1];
  return Array.from({ length: data.length / width }, (_, row) =>
    Array.from(data.subarray(row * width, (row + 1) * width)),
  );
}
