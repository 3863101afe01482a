import { PolybeamError } from '../errors.js';
import { type AssistantModel, assistance } from '../generation/assistant.js';
import type { EventStream } from '../generation/eventStream.js';
import { generate } from '../generation/generate.js';
import { type Batching, batchingNames, type NamedBatching, namesOf } from '../generation/inputs.js';
import {
  type GenerationOptions,
  type ModelGenerationDefaults,
  resolveGenerationOptions,
} from '../generation/options.js';
import { requireIntegerOption, requireObject, requireOptionNames, wrongInput } from '../inputs.js';
import { chunkText } from '../text/chunks.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { WordAlignment } from './alignment.js';
import type { RawConfig } from './config.js';
import { type ForwardInput, type ForwardOutput, forward } from './forward.js';
import type { ModelLanguages } from './languages.js';
import {
  type InputNames,
  type LanguageOptions,
  languageRequest,
  prepareRequest,
  readInputs,
  requireGeneration,
  warnOfLengths,
} from './modelInputs.js';
import type { ModelOutput } from './modelOutput.js';
import type { ModelInput, ModelParts, Prefix, ReadInput } from './modelParts.js';
import {
  modelOutputs,
  type Replacing,
  type StreamEvent,
  type StreamOptions,
  streamOutputs,
} from './modelStream.js';
import { requirePrefixes } from './prefixes.js';
import { type ModelScore, type ScoreInput, type ScoreOptions, scoreAll } from './score.js';
import { readDictionary, type UnknownReplacement } from './unknownWords.js';

/** How `generate` of a model differs from that of ids: it writes texts, in languages. */
export interface TextGenerationOptions extends GenerationOptions, LanguageOptions {
  /**
   * Put a word of the source in place of each unknown word: true for the one that the decoder read most then, a dictionary
   * (a path or a map) to look that one up in first. For inputs that are texts. Default false.
   */
  replaceUnknowns?: UnknownReplacement;
}

/** How `translate` differs from `generate`. */
export interface TranslateOptions extends TextGenerationOptions, Batching {
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

/** @throws INPUT_INVALID for what `loadModel` and `loadEnsemble` have not made */
export function requireModel(value: unknown, name = 'model'): void {
  if (typeof value === 'object' && value !== null && modelParts in value) return;
  throw wrongInput(name, value, 'give what loadModel gives');
}

/** A loaded model directory. */
export interface Model {
  /** The parts of the model, for other ways to run it. */
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
   * @throws MODEL_CANNOT_GENERATE, TOKENIZER_MISSING, LANGUAGE_UNKNOWN, INPUT_INVALID, and OPTION_UNKNOWN, OPTION_INVALID
   * or OPTION_CONFLICT before anything is computed
   */
  generate(
    inputs: readonly ModelInput[],
    options?: TextGenerationOptions,
    batching?: Batching,
  ): Promise<ModelOutput[]>;
  /** The best output of every input as a text; a blank input gives a blank output. Throws as `generate`. */
  translate(inputs: readonly ModelInput[], options?: TranslateOptions): Promise<string[]>;
  /**
   * Translations with what of the source each of their words comes from, by the decoder's attention. Throws as
   * `translate`, and OPTION_CONFLICT with `chunk`.
   */
  translateAligned(inputs: readonly ModelInput[], options?: TranslateOptions): Promise<AlignedTranslation[]>;
  /**
   * As `generate`, with events during decoding: `for await (const { delta } of
   * model.stream(text))`. Inputs of one batch advance together, so their events are mixed. Nothing is computed before an
   * event is requested, nor ahead of the consumer; leaving the loop ends the search. Errors are thrown at the first
   * event: as `generate`.
   */
  stream(inputs: ModelInput | readonly ModelInput[], options?: StreamOptions): EventStream<StreamEvent>;
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
    inputs: readonly ReadInput[],
    { replaceUnknowns = false, from, to, ...options }: TextGenerationOptions,
    batching: NamedBatching,
  ): Promise<ModelOutput[]> => {
    const { steps, defaults } = requireGeneration(parts);
    const nameOf = namesOf(batching);
    const request = languageRequest(parts, { from, to });
    const replacing =
      replaceUnknowns === false ? undefined : await readReplacing(inputs, replaceUnknowns, options, nameOf);
    const wanted = replacing ? { ...options, returnAttention: true } : options;
    const resolved = resolveGenerationOptions(wanted, defaults);
    warnOfLengths(parts, resolved);
    const ready = await prepareRequest(parts, inputs, request, { from, to }, options, nameOf);
    const results = await generate(steps, ready.prepared, resolved, ready.rules, batching);
    return modelOutputs(parts, ready.prepared, results, ready.inputs, request.prefix, replacing);
  };
  const generateAll = async (
    inputs: readonly ModelInput[],
    options: TextGenerationOptions,
    batching: Batching,
  ) => {
    requireObject(options, 'options', 'options such as numBeams');
    requireOptionNames(batching, batchingNames, 'Batching');
    requireIntegerOption('firstIndex', batching.firstIndex, 0);
    return decodeAll(readInputs(inputs, namesOf(batching)), options, batching);
  };
  const translateAll = async (texts: readonly ModelInput[], options: TranslateOptions) => {
    requireObject(options, 'options', 'options such as numBeams');
    const { chunk, prefixes, batchSize, maxBatchTokens, firstIndex, onProgress, ...rest } = options;
    const { rules } = requireGeneration(parts);
    if (rules.decoderStartTokenId === undefined) {
      throw new PolybeamError(
        'MODEL_CANNOT_GENERATE',
        `${directory} continues texts and does not translate; use generate, or a model with an encoder and a decoder.`,
      );
    }
    requireIntegerOption('chunk', chunk, 1);
    requireIntegerOption('firstIndex', firstIndex, 0);
    const batching = dropUndefined({ batchSize, maxBatchTokens, firstIndex, onProgress });
    const nameOf = namesOf(batching);
    const given = withPrefixes(readInputs(texts, nameOf, 'texts'), prefixes, nameOf);
    const pieces = await cutInputs(parts, given, rest, chunk, nameOf);
    const partOf = pieces.flatMap((own, index) => own.map(() => index));
    return { pieces, outputs: await decodeAll(pieces.flat(), rest, { ...batching, partOf }) };
  };
  return {
    [modelParts]: parts,
    [assistance]: assistanceOf(parts),
    directory,
    config,
    tokenizer,
    languages,
    generationDefaults: generation?.defaults ?? {},
    generate: (inputs, options = {}, batching = {}) => generateAll(inputs, options, batching),
    translate: async (texts, options = {}) => {
      requireObject(options, 'options', 'options such as numBeams');
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
      requireObject(options, 'options', 'options such as numBeams');
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
  inputs: readonly ReadInput[],
  given: UnknownReplacement,
  { returnAttention }: GenerationOptions,
  nameOf: InputNames,
): Promise<Replacing> {
  const bare = inputs.findIndex((input) => !('text' in input) && input.inputIds.length > 0);
  if (bare >= 0) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${nameOf(bare)} is token ids, and replaceUnknowns takes words from texts; give a text, or leave replaceUnknowns out.`,
    );
  }
  return { dictionary: await readDictionary(given), hideAttention: !returnAttention };
}

/** What a text has no place for. @throws OPTION_CONFLICT */
function refuseLists(options: GenerationOptions): void {
  const list = (['returnLogits', 'returnAlternatives'] as const).find((one) => options[one]);
  const { numReturnSequences = 1 } = options;
  const shown = list ?? (numReturnSequences > 1 && `numReturnSequences ${numReturnSequences}`);
  if (!shown) return;
  throw new PolybeamError(
    'OPTION_CONFLICT',
    `${shown} has no place in translations, one text for each input; call generate, which takes to and from as well, or leave ${shown.split(' ')[0]} out.`,
  );
}

/** Inputs with what their outputs begin with. @throws INPUT_INVALID */
function withPrefixes(
  inputs: readonly ReadInput[],
  prefixes: readonly Prefix[] | undefined,
  nameOf: InputNames,
): readonly ReadInput[] {
  requirePrefixes(prefixes, inputs.length);
  if (!prefixes) return inputs;
  return inputs.map((input, index) => {
    if (input.prefix === undefined) return { ...input, prefix: prefixes[index] };
    throw new PolybeamError(
      'INPUT_INVALID',
      `${nameOf(index)} has a prefix of its own beside prefixes; leave one of them out.`,
    );
  });
}

/** The pieces of each input that the model can read; a prefix begins the first. @throws INPUT_INVALID for what cannot be cut */
function cutInputs(
  parts: ModelParts,
  inputs: readonly ReadInput[],
  languages: LanguageOptions,
  chunk: number | undefined,
  nameOf: InputNames,
): Promise<ReadInput[][]> {
  const cut = async (input: ReadInput, index: number): Promise<ReadInput[]> => {
    if (chunk === undefined) return [input];
    const whole = !('text' in input) ? 'token ids' : input.forceWordsIds && 'a text with forceWordsIds';
    if (whole || !('text' in input)) {
      throw new PolybeamError(
        'INPUT_INVALID',
        `${nameOf(index)} is ${whole}, which chunk cannot cut; give a text alone, or leave chunk out.`,
      );
    }
    const pieces = await chunksOf(parts, input.text, chunk, languages);
    return pieces.map((text, piece) => (piece === 0 ? { ...input, text } : { text }));
  };
  return Promise.all(inputs.map(cut));
}

/** Pieces of a text that the model can read, with what is put before each. */
async function chunksOf(
  parts: ModelParts,
  text: string,
  chunk: number,
  languages: LanguageOptions,
): Promise<string[]> {
  const { tokenizer, maxSource } = parts;
  const { prefix } = languageRequest(parts, languages);
  if (!tokenizer) return [text];
  const [{ ids }] = prefix === '' ? [{ ids: [] }] : await tokenizer.encodeBatch([prefix]);
  return chunkText(
    text,
    tokenizer,
    Math.min(chunk, maxSource - ids.length),
    languages.from?.replace(/_.*$/, ''),
  );
}

function dropUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<T>;
}
