import type { Program } from '../engine/program.js';
import { integers, type Value } from '../engine/values.js';
import { PolybeamError } from '../errors.js';
import { type AssistantModel, assistance } from '../generation/assistant.js';
import type { EventStream } from '../generation/eventStream.js';
import { generate } from '../generation/generate.js';
import type { Batching } from '../generation/inputs.js';
import {
  type GenerationOptions,
  type ModelGenerationDefaults,
  resolveGenerationOptions,
} from '../generation/options.js';
import { isBlank } from '../text/blank.js';
import { chunkText } from '../text/chunks.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { WordAlignment } from './alignment.js';
import type { ModelDefinition } from './architectures/definition.js';
import type { RawConfig } from './config.js';
import { requireKnown } from './encodeTexts.js';
import {
  type ModelLanguages,
  requireLanguagesBefore,
  type TranslationRequest,
  translationRequest,
} from './languages.js';
import { prepareInputs, requireGeneration, warnOfLengths } from './modelInputs.js';
import type { ModelOutput } from './modelOutput.js';
import type { ModelInput, ModelParts, Prefix } from './modelParts.js';
import {
  modelOutputs,
  type Replacing,
  type StreamEvent,
  type StreamInput,
  type StreamOptions,
  streamOutputs,
} from './modelStream.js';
import { requirePrefixes } from './prefixes.js';
import { type ModelScore, type ScoreInput, type ScoreOptions, scoreAll } from './score.js';
import { readDictionary, type UnknownReplacement } from './unknownWords.js';

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

/** How `generate` of a model differs from that of ids: it writes texts. */
export interface TextGenerationOptions extends GenerationOptions {
  /**
   * Put a word of the source in place of each unknown word: true for the one that the decoder read most then, a dictionary
   * (a path or a map) to look that one up in first. For inputs that are texts. Default false.
   */
  replaceUnknowns?: UnknownReplacement;
}

/** How `translate` differs from `generate`. */
export interface TranslateOptions extends TextGenerationOptions, Batching {
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
  /**
   * What each translation begins with, and contains: a text, or token ids, for each of the texts, empty for none. A text is
   * encoded as target text, without special tokens; its last token is whole, so the next one may continue its word. With
   * `chunk` it begins the first piece.
   */
  prefixes?: readonly Prefix[];
}

/** A translation and how its words, which white space separates, belong to those of the source. */
export interface AlignedTranslation extends WordAlignment {
  text: string;
}

/** Where a model keeps its parts. */
export const modelParts = Symbol('parts');

/** A loaded model directory. */
export interface Model {
  /** What it is made of, for those who serve it in another way. */
  readonly [modelParts]: ModelParts;
  /** What it takes to draft for another: see the option assistantModel. */
  readonly [assistance]: AssistantModel[typeof assistance];
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
    options?: TextGenerationOptions,
    batching?: Batching,
  ): Promise<ModelOutput[]>;
  /** The best output of every text; blank for blank. Throws as `generate`, and LANGUAGE_UNKNOWN. */
  translate(texts: readonly string[], options?: TranslateOptions): Promise<string[]>;
  /**
   * Translations with what of the source each of their words comes from, by the decoder's attention. Throws as
   * `translate`, and OPTION_CONFLICT with `chunk`.
   */
  translateAligned(texts: readonly string[], options?: TranslateOptions): Promise<AlignedTranslation[]>;
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
  /**
   * Frees the programs. A step that is being computed is waited for; the search it belongs to, and everything that is asked
   * of the model from this call on, is refused (MODEL_DISPOSED). A second call waits for the first.
   */
  dispose(): Promise<void>;
}

/** Puts the parts together. */
export function makeModel(parts: ModelParts): Model {
  const { directory, config, tokenizer, languages, generation } = parts;
  const decodeAll = async (
    inputs: readonly ModelInput[],
    { replaceUnknowns = false, ...options }: TextGenerationOptions,
    batching: Batching,
    request?: TranslationRequest,
  ): Promise<ModelOutput[]> => {
    const { steps, defaults, rules } = requireGeneration(parts);
    const replacing =
      replaceUnknowns === false ? undefined : await readReplacing(inputs, replaceUnknowns, options);
    const wanted = replacing ? { ...options, returnAttention: true } : options;
    const resolved = resolveGenerationOptions(wanted, defaults);
    warnOfLengths(parts, resolved);
    const prepared = await prepareInputs(parts, inputs, batching.firstIndex ?? 0, request?.sourceId);
    const results = await generate(steps, prepared, resolved, { ...rules, ...request?.rules }, batching);
    return modelOutputs(parts, prepared, results, inputs, request?.prefix, replacing);
  };
  const translateAll = async (texts: readonly string[], options: TranslateOptions) => {
    const { from, to, chunk, prefixes, batchSize, maxBatchTokens, firstIndex, onProgress, ...rest } = options;
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
    requirePrefixes(prefixes, texts.length);
    const pieces = await Promise.all(
      texts.map((text) =>
        chunk === undefined ? [text] : chunksOf(parts, text, chunk, request.prefix, from),
      ),
    );
    const inputs = pieces.flatMap((own, index) =>
      own.map((text, piece) => ({
        text: isBlank(text) ? '' : request.prefix + text,
        ...(prefixes && piece === 0 && { prefix: prefixes[index] }),
      })),
    );
    const batching = { batchSize, maxBatchTokens, firstIndex, onProgress };
    return { pieces, outputs: await decodeAll(inputs, rest, dropUndefined(batching), request) };
  };
  return {
    [modelParts]: parts,
    [assistance]: assistanceOf(parts),
    directory,
    config,
    tokenizer,
    languages,
    generationDefaults: generation?.defaults ?? {},
    generate: (inputs, options = {}, batching = {}) => decodeAll(inputs, options, batching),
    translate: async (texts, options = {}) => {
      if (options.returnAttention) {
        throw new PolybeamError(
          'OPTION_CONFLICT',
          'returnAttention has no place in texts; call translateAligned or generate, or leave returnAttention out.',
        );
      }
      refuseLists(options);
      const { outputs, pieces } = await translateAll(texts, options);
      let next = 0;
      return pieces.map((own) => own.map(() => outputs[next++].sequences[0].text ?? '').join(' '));
    },
    translateAligned: async (texts, options = {}) => {
      if (options.chunk !== undefined) {
        throw new PolybeamError(
          'OPTION_CONFLICT',
          `chunk ${options.chunk} does not go with alignments; leave chunk out, or translate without them.`,
        );
      }
      refuseLists(options);
      const { outputs } = await translateAll(texts, { ...options, returnAttention: true });
      return outputs.map(({ sequences: [{ text = '', words }] }) => ({
        text,
        ...(words ?? { alignment: [], attention: [] }),
      }));
    },
    stream: (inputs, options = {}) => streamOutputs(parts, inputs, options),
    score: (pairs, options = {}) => scoreAll(parts, pairs, options),
    forward: async (input) => {
      parts.requireAlive();
      return forward(parts, await parts.forwardProgram(), input);
    },
    dispose: parts.dispose,
  };
}

function assistanceOf({ generation, maxSource, idCounts }: ModelParts): AssistantModel[typeof assistance] {
  if (!generation) return undefined;
  const continues = generation.rules.decoderStartTokenId === undefined;
  return { steps: generation.steps, maxSource, sourceVocabSize: idCounts.inputIds, continues };
}

/** @throws INPUT_INVALID for inputs without words, OPTION_INVALID, FILE_NOT_FOUND, FILE_CORRUPT */
async function readReplacing(
  inputs: readonly ModelInput[],
  given: UnknownReplacement,
  { returnAttention }: GenerationOptions,
): Promise<Replacing> {
  const bare = inputs.findIndex((input) => !('text' in input) && input.inputIds.length > 0);
  if (bare >= 0) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `Input ${bare + 1} is token ids, and replaceUnknowns takes words from texts; give a text, or leave replaceUnknowns out.`,
    );
  }
  return { dictionary: await readDictionary(given), hideAttention: !returnAttention };
}

/** What a text has no place for. @throws OPTION_CONFLICT */
function refuseLists(options: GenerationOptions): void {
  const name = (['returnLogits', 'returnAlternatives'] as const).find((one) => options[one]);
  if (!name) return;
  throw new PolybeamError(
    'OPTION_CONFLICT',
    `${name} has no place in translations; call generate, or leave ${name} out.`,
  );
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
  requireLanguagesBefore(parts.languages, input.inputIds, 'inputIds');
  const row = (ids: readonly number[]) => integers([1, ids.length], Int32Array.from(ids));
  const given: Record<string, readonly number[]> = {
    inputIds: input.inputIds,
    attentionMask: input.attentionMask ?? Array(length).fill(1),
    tokenTypeIds: input.tokenTypeIds ?? Array(length).fill(0),
    langs: input.langs ?? Array(length).fill(-1),
    decoderInputIds: input.decoderInputIds ?? [parts.generation?.rules.decoderStartTokenId ?? 0],
  };
  for (const name of ['attentionMask', 'tokenTypeIds', 'langs']) {
    if (given[name].length !== length) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `${name} has ${given[name].length} values for ${length} inputIds; give one each.`,
      );
    }
  }
  for (const { name } of program.inputs) {
    if (name === 'langs' && input.langs === undefined) continue;
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
