import type { Scorer } from '../decoder/scorer.js';
import type { Program } from '../engine/program.js';
import { integers, type Value } from '../engine/values.js';
import { PolybeamError } from '../errors.js';
import type { EventStream } from '../generation/eventStream.js';
import { type Batching, type GenerationInput, generate, promptOf } from '../generation/generate.js';
import type { ModelGeneration } from '../generation/generationConfig.js';
import {
  type GenerationOptions,
  type ModelGenerationDefaults,
  resolveGenerationOptions,
} from '../generation/options.js';
import type { StepModel } from '../generation/stepModel.js';
import { chunkText } from '../text/chunks.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { ModelDefinition } from './architectures/definition.js';
import type { RawConfig } from './config.js';
import { type ModelLanguages, type TranslationRequest, translationRequest } from './languages.js';
import { encodeTexts, prepareInputs, requireGeneration, requireKnown } from './modelInputs.js';
import {
  modelOutputs,
  type StreamEvent,
  type StreamInput,
  type StreamOptions,
  streamOutputs,
} from './modelStream.js';

/** A text, or token ids as the model's tokenizer would make them. */
export type ModelInput =
  | ({ text: string } & InputConstraints)
  | ({
      inputIds: readonly number[];
      attentionMask?: readonly number[];
      decoderInputIds?: readonly number[];
    } & InputConstraints);

/** Constraints of one input, beside those of the option of the same name. */
type InputConstraints = Pick<GenerationInput, 'forceWordsIds'>;

/** One output of `generate`. */
export interface ModelSequence {
  /**
   * As Hugging Face returns them, without the decoder start token, up to and including the end token. A model that
   * continues texts returns the text, too: the last tokenLogProbabilities.length ids are new.
   */
  ids: number[];
  /** Beam search: log-probability / length^lengthPenalty; otherwise the log-probability. Nats. */
  score: number;
  /** Natural logarithm of each new token's probability, as summed in `score`. */
  tokenLogProbabilities: number[];
  /** Where the model has a tokenizer. */
  text?: string;
  /** Where there are `forceWordsIds`: indices of those that the output lacks; an input's own come last. */
  unmetConstraints?: readonly number[];
}

export interface ModelOutput {
  /** The ids that were read. */
  inputIds: readonly number[];
  /** Best first. */
  sequences: ModelSequence[];
}

/** One sequence for `forward`. */
export interface ForwardInput {
  inputIds: readonly number[];
  attentionMask?: readonly number[];
  /** Segments, for models that have them. */
  tokenTypeIds?: readonly number[];
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

/** How `translate` differs from `generate`. */
export interface TranslateOptions extends GenerationOptions, Batching {
  /** Target language; must be one the model has. */
  to?: string;
  /** Source language, for models that are told it; must be one the model has. Default: what its tokenizer writes. */
  from?: string;
  /**
   * Cut texts of more than this many tokens into pieces of whole sentences, and join their translations by spaces: an
   * integer from 1; models trained on sentences do best with some 50. Default: none; what is longer than the model can
   * read is left out, with a warning.
   */
  chunk?: number;
}

/** A source, and an output to be scored. */
export interface ScoreInput {
  /** For a model that continues texts, the text before the target. */
  source: ModelInput;
  /**
   * Text, or ids as `generate` returns them: without the decoder start token, with the end token. For a model that
   * continues texts the new ids alone.
   */
  target: string | readonly number[];
}

/** How outputs are scored. */
export interface ScoreOptions {
  /** Exponent p of the length in log-probability / length^p. Default: the model's, else 1. */
  lengthPenalty?: number;
  /** Target and source language, as for `translate`. */
  to?: string;
  from?: string;
  /** Pairs computed together, at most. Default 16. */
  batchSize?: number;
}

/** What the model thinks of an output. */
export interface ModelScore {
  /** The ids that were scored. */
  ids: readonly number[];
  /** Summed log-probability / length^lengthPenalty, as beam search reports it. Nats; 0 for an empty source or target. */
  score: number;
  /** Natural logarithm of each token's probability; 0 for a token that the model's configuration forces. */
  tokenLogProbabilities: number[];
}

/** A loaded model directory. */
export interface Model {
  readonly directory: string;
  /** config.json as it is. */
  readonly config: RawConfig;
  /** What generation_config.json sets. */
  readonly generationDefaults: ModelGenerationDefaults;
  readonly tokenizer?: Tokenizer;
  readonly languages: ModelLanguages;
  /**
   * Decodes every input, in order.
   * @throws MODEL_CANNOT_GENERATE, TOKENIZER_MISSING, INPUT_INVALID, and OPTION_UNKNOWN, OPTION_INVALID or
   * OPTION_CONFLICT before anything is computed
   */
  generate(
    inputs: readonly ModelInput[],
    options?: GenerationOptions,
    batching?: Batching,
  ): Promise<ModelOutput[]>;
  /** The best output of every text; blank for blank. Throws as `generate`, and LANGUAGE_UNKNOWN. */
  translate(texts: readonly string[], options?: TranslateOptions): Promise<string[]>;
  /**
   * As `generate` or, with `to` or `from`, `translate`, told step by step: `for await (const { delta } of
   * model.stream(text))`. Inputs of one batch advance together, so their events are mixed. Nothing is computed before an
   * event is asked for, nor ahead of who asks; leaving the loop ends the search. What is wrong is thrown at the first
   * event: as `generate`, and LANGUAGE_UNKNOWN.
   */
  stream(inputs: StreamInput | readonly StreamInput[], options?: StreamOptions): EventStream<StreamEvent>;
  /**
   * Scores given outputs by one pass over each, without search: what beam search reports for an output is what this
   * gives for it. Throws as `translate`.
   */
  score(pairs: readonly ScoreInput[], options?: ScoreOptions): Promise<ModelScore[]>;
  /** One pass over given ids. Throws INPUT_INVALID. */
  forward(input: ForwardInput): Promise<ForwardOutput>;
  /** Frees the programs. */
  dispose(): Promise<void>;
}

/** What a model is made of; see `loadModel`. */
export interface ModelParts {
  directory: string;
  config: RawConfig;
  tokenizer?: Tokenizer;
  languages: ModelLanguages;
  /** Where the model can generate. */
  generation?: { steps: StepModel; scorer: Scorer } & ModelGeneration;
  /** Compiles `forward` when it is first called. */
  forwardProgram: () => Promise<Program>;
  /** Positions the source can have. */
  maxSource: number;
  idCounts: ModelDefinition['idCounts'];
  onWarning: (message: string) => void;
  dispose: () => Promise<void>;
}

/** Puts the parts together. */
export function makeModel(parts: ModelParts): Model {
  const { directory, config, tokenizer, languages, generation } = parts;
  const decodeAll = async (
    inputs: readonly ModelInput[],
    options: GenerationOptions,
    batching: Batching,
    request?: TranslationRequest,
  ): Promise<ModelOutput[]> => {
    const { steps, defaults, rules } = requireGeneration(parts);
    const resolved = resolveGenerationOptions(options, defaults);
    const prepared = await prepareInputs(parts, inputs, batching.firstIndex ?? 0, request?.sourceId);
    const results = await generate(steps, prepared, resolved, { ...rules, ...request?.rules }, batching);
    return modelOutputs(parts, prepared, results);
  };
  return {
    directory,
    config,
    tokenizer,
    languages,
    generationDefaults: generation?.defaults ?? {},
    generate: (inputs, options = {}, batching = {}) => decodeAll(inputs, options, batching),
    translate: async (texts, options = {}) => {
      const { from, to, chunk, batchSize, maxBatchTokens, firstIndex, onProgress, ...rest } = options;
      const { rules } = requireGeneration(parts);
      if (rules.decoderStartTokenId === undefined) {
        throw new PolybeamError(
          'MODEL_CANNOT_GENERATE',
          `${directory} continues texts and does not translate; use generate, or a model with an encoder and a decoder.`,
        );
      }
      const request = translationRequest(languages, { from, to }, rules, directory);
      if (chunk !== undefined && !(Number.isInteger(chunk) && chunk >= 1)) {
        throw new PolybeamError('OPTION_INVALID', `Option chunk cannot be ${chunk}: give an integer from 1.`);
      }
      const pieces = await Promise.all(
        texts.map((text) =>
          chunk === undefined ? [text] : chunksOf(parts, text, chunk, request.prefix, from),
        ),
      );
      const inputs = pieces.flat().map((text) => ({ text: text.trim() === '' ? '' : request.prefix + text }));
      const batching = { batchSize, maxBatchTokens, firstIndex, onProgress };
      const outputs = await decodeAll(inputs, rest, dropUndefined(batching), request);
      let next = 0;
      return pieces.map((own) => own.map(() => outputs[next++].sequences[0].text ?? '').join(' '));
    },
    stream: (inputs, options = {}) => streamOutputs(parts, inputs, options),
    score: (pairs, options = {}) => scoreAll(parts, pairs, options),
    forward: async (input) => forward(parts, await parts.forwardProgram(), input),
    dispose: parts.dispose,
  };
}

/** Pieces of a text that the model can read, with what is put before each. */
async function chunksOf(
  { tokenizer, maxSource }: ModelParts,
  text: string,
  chunk: number,
  prefix: string,
  from: string | undefined,
): Promise<string[]> {
  if (!tokenizer) return [text];
  const [{ ids }] = prefix === '' ? [{ ids: [] }] : await tokenizer.encodeBatch([prefix]);
  return chunkText(text, tokenizer, Math.min(chunk, maxSource - ids.length), from?.replace(/_.*$/, ''));
}

async function scoreAll(
  parts: ModelParts,
  pairs: readonly ScoreInput[],
  { lengthPenalty, to, from, batchSize }: ScoreOptions,
): Promise<ModelScore[]> {
  const { steps, scorer, rules, defaults } = requireGeneration(parts);
  const exponent = lengthPenalty ?? defaults.lengthPenalty ?? 1;
  const request = translationRequest(parts.languages, { from, to }, rules, parts.directory);
  const ruling = { ...rules, ...request.rules };
  // A text to continue has its beginning.
  const forcedBosTokenId = ruling.decoderStartTokenId === undefined ? undefined : ruling.forcedBosTokenId;
  const sources = await prepareInputs(
    parts,
    pairs.map(({ source }) => ('text' in source ? { text: request.prefix + source.text } : source)),
    0,
    request.sourceId,
  );
  const prompts = sources.map((source) => promptOf(source, ruling));
  // The last token is never read.
  const room = prompts.map((prompt) => steps.maxPositions - prompt.length + 1);
  const targets = await targetIds(parts, pairs, forcedBosTokenId, room);
  const scored = await scorer.score(
    sources.map(({ inputIds }, index) => ({
      inputIds,
      prompt: prompts[index],
      target: inputIds.length === 0 ? [] : targets[index],
    })),
    batchSize,
  );
  return targets.map((ids, index) => {
    const tokenLogProbabilities = Array.from(scored[index]);
    if (ids[0] === forcedBosTokenId && tokenLogProbabilities.length > 0) tokenLogProbabilities[0] = 0;
    const sum = tokenLogProbabilities.reduce((total, value) => total + value, 0);
    const score = sum / Math.max(1, tokenLogProbabilities.length) ** exponent;
    return { ids, score, tokenLogProbabilities };
  });
}

/** The ids of every target; texts as the model would write them. @param room for each, in tokens */
async function targetIds(
  parts: ModelParts,
  pairs: readonly ScoreInput[],
  forcedBosTokenId: number | undefined,
  room: readonly number[],
): Promise<(readonly number[])[]> {
  const texts = pairs.flatMap(({ target }) => (typeof target === 'string' ? [target] : []));
  const encoded = texts.length === 0 ? [] : await encodeTexts(parts, texts, 'target');
  // Tokenizers put the source's language beside every text; a target begins with its own.
  const languages = new Set(parts.languages.tokenIds.values());
  let next = 0;
  return pairs.map(({ target }, index) => {
    const name = `Input ${index + 1}: target`;
    if (typeof target !== 'string') return checkTarget(parts, target, room[index], name);
    const words = encoded[next++].ids.filter((id) => !languages.has(id));
    if (target.trim() === '') return [];
    const forced = forcedBosTokenId === undefined || words[0] === forcedBosTokenId ? [] : [forcedBosTokenId];
    return checkTarget(parts, [...forced, ...words], room[index], name);
  });
}

function checkTarget(
  parts: ModelParts,
  ids: readonly number[],
  room: number,
  name: string,
): readonly number[] {
  requireKnown(ids, parts.generation!.steps.vocabSize, name);
  if (ids.length <= room) return ids;
  throw new PolybeamError(
    'INPUT_INVALID',
    `${name} has ${ids.length} tokens; the model can write ${room}: shorten it.`,
  );
}

function dropUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<T>;
}

async function forward(parts: ModelParts, program: Program, input: ForwardInput): Promise<ForwardOutput> {
  const length = input.inputIds.length;
  if (length === 0 || length > parts.maxSource) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `inputIds has ${length} ids; forward takes 1 to ${parts.maxSource}.`,
    );
  }
  const row = (ids: readonly number[]) => integers([1, ids.length], Int32Array.from(ids));
  const given: Record<string, readonly number[]> = {
    inputIds: input.inputIds,
    attentionMask: input.attentionMask ?? Array(length).fill(1),
    tokenTypeIds: input.tokenTypeIds ?? Array(length).fill(0),
    decoderInputIds: input.decoderInputIds ?? [parts.generation?.rules.decoderStartTokenId ?? 0],
  };
  for (const name of ['attentionMask', 'tokenTypeIds']) {
    if (given[name].length !== length) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `${name} has ${given[name].length} values for ${length} inputIds; give one each.`,
      );
    }
  }
  for (const { name } of program.inputs) {
    requireKnown(given[name], parts.idCounts[name as keyof ModelDefinition['idCounts']] ?? 2, name);
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
