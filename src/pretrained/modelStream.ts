import { anySignal, createEventStream, type EventStream } from '../generation/eventStream.js';
import { type GenerationResult, generate } from '../generation/generate.js';
import { type Batching, type GenerationInput, namesOf } from '../generation/inputs.js';
import { type GenerationOptions, resolveGenerationOptions } from '../generation/options.js';
import type { OutputProgress } from '../generation/progress.js';
import { requireIntegerOption, requireObject } from '../inputs.js';
import { createTextDeltas, type TextDeltas } from '../text/textDeltas.js';
import { wordsOf } from '../text/words.js';
import { alignTokens, alignWords, type ReadText, wordsOfSource } from './alignment.js';
import {
  type LanguageOptions,
  languageRequest,
  prepareRequest,
  readInputs,
  requireGeneration,
  warnOfLengths,
} from './modelInputs.js';
import type { ModelOutput } from './modelOutput.js';
import type { ModelInput, ModelParts, ReadInput } from './modelParts.js';
import { decodeReplaced, type ReplacedText } from './unknownWords.js';

/** How `stream` decodes. */
export interface StreamOptions extends GenerationOptions, LanguageOptions, Batching {}

/** What a step has changed in one output. */
export interface StreamEvent {
  /** Index of the input. */
  index: number;
  /** Number of the sample; 0 in beam search, whose events are about the best output. */
  sequence: number;
  /** Tokens that have become final; all of an output's together are its ids. */
  ids: number[];
  /** Text that has become final; all of an output's together are its text. Empty where the model has no tokenizer. */
  delta: string;
  /** What follows the final tokens in the hypothesis that is best at present; it may change. */
  tentativeIds: number[];
  /** What follows the final text at present; it may change. */
  tentative: string;
  /** Whether nothing more comes of this output. */
  ended: boolean;
  /** With the last event of an input: what `generate` returns for it. */
  output?: ModelOutput;
}

/** See `Model.stream`. */
export function streamOutputs(
  parts: ModelParts,
  given: ModelInput | readonly ModelInput[],
  options: StreamOptions,
): EventStream<StreamEvent> {
  return createEventStream(async (emit, cancelled) => {
    requireObject(options, 'options', 'options such as numBeams');
    const { from, to, batchSize, maxBatchTokens, firstIndex = 0, onProgress, ...rest } = options;
    const { steps, defaults } = requireGeneration(parts);
    requireIntegerOption('firstIndex', firstIndex, 0);
    const nameOf = namesOf({ firstIndex });
    const list = readInputs(Array.isArray(given) ? given : [given], nameOf);
    const request = languageRequest(parts, { from, to });
    const resolved = resolveGenerationOptions(rest, defaults);
    warnOfLengths(parts, resolved);
    const ready = await prepareRequest(parts, list, request, { from, to }, rest, nameOf);
    const { inputs, prepared, rules } = ready;
    const tell = createTeller(parts, { inputs, prepared, prefix: request.prefix }, firstIndex);
    await generate(
      steps,
      prepared,
      { ...resolved, signal: anySignal(cancelled, resolved.signal) },
      rules,
      { batchSize, maxBatchTokens, firstIndex, onProgress },
      async (progress) => {
        for (const event of await tell(progress)) await emit(event);
      },
    );
  });
}

/** What `generate` takes. */
export type StreamInput = ModelInput;

/**
 * Results with their texts and alignments.
 *
 * @param inputs what was given, texts after `prefix`
 */
export async function modelOutputs(
  parts: ModelParts,
  prepared: readonly GenerationInput[],
  results: readonly GenerationResult[],
  inputs: readonly ReadInput[],
  prefix = '',
  replacing?: Replacing,
): Promise<ModelOutput[]> {
  const { tokenizer } = parts;
  const sequences = results.flatMap((result) => result.sequences);
  const texts = tokenizer ? await tokenizer.decodeBatch(sequences.map(({ ids }) => ids)) : undefined;
  let next = 0;
  const outputs = results.map((result, index): ModelOutput => {
    const { inputIds } = prepared[index];
    const own = result.sequences.map(({ attention, ...one }) => ({
      ...one,
      text: texts?.[next++],
      ...(attention && alignTokens(parts, attention, inputIds, one.ids)),
    }));
    return { inputIds, sequences: own };
  });
  await addWords(parts, inputs, outputs, prefix, replacing);
  return outputs;
}

/** How unknown words are replaced. */
export interface Replacing {
  dictionary: ReadonlyMap<string, string>;
  /** Whether attention is wanted for nothing else, and so not shown. */
  hideAttention: boolean;
}

/**
 * Adds alignments of words to the outputs of texts, where there is attention, and replaces unknown words.
 * @param prefix what was put before each text
 */
async function addWords(
  parts: ModelParts,
  inputs: readonly ReadInput[],
  outputs: readonly ModelOutput[],
  prefix: string,
  replacing: Replacing | undefined,
): Promise<void> {
  for (const [index, { inputIds, sequences }] of outputs.entries()) {
    const input = inputs[index];
    if (!('text' in input)) continue;
    const source = { text: input.text.slice(prefix.length), prefix, ids: inputIds };
    for (const sequence of sequences) {
      const { ids, attention } = sequence;
      if (!attention) continue;
      const replaced = replacing && (await replaceUnknowns(parts, source, ids, attention, replacing));
      if (replaced) sequence.text = replaced.text;
      if (replacing?.hideAttention) {
        delete sequence.attention;
        delete sequence.alignment;
      } else {
        const target = { ids, text: sequence.text, words: replaced?.words };
        sequence.words = await alignWords(parts, attention, source, target);
      }
    }
  }
}

/** An output's text without unknown words; undefined where it has none. */
async function replaceUnknowns(
  { tokenizer }: ModelParts,
  source: ReadText,
  ids: readonly number[],
  attention: readonly Float32Array[],
  { dictionary }: Replacing,
): Promise<ReplacedText | undefined> {
  const unknown = tokenizer?.specialIds.unk;
  if (!tokenizer || unknown === undefined || !ids.includes(unknown)) return undefined;
  const wordOfToken = await wordsOfSource(tokenizer, source);
  return decodeReplaced(tokenizer, ids, { words: wordsOf(source.text), wordOfToken, attention, dictionary });
}

/** An output on its way. */
interface Open {
  ids: number[];
  deltas: TextDeltas;
  /** Of all final tokens. */
  text: string;
}

/** Puts progress into texts: those of every beginning of an output that has become final, one token after the other. */
function createTeller(
  parts: ModelParts,
  { inputs, prepared, prefix }: { inputs: ReadInput[]; prepared: GenerationInput[]; prefix: string },
  firstIndex: number,
) {
  const open = new Map<string, Open>();
  const { tokenizer } = parts;

  function find({ index, sequence }: OutputProgress): Open {
    const key = `${index} ${sequence}`;
    const one = open.get(key) ?? { ids: [], deltas: createTextDeltas(), text: '' };
    open.set(key, one);
    return one;
  }

  return async (progress: readonly OutputProgress[]): Promise<StreamEvent[]> => {
    const wanted: number[][] = [];
    for (const one of progress) {
      const { ids } = find(one);
      for (const id of one.ids) {
        ids.push(id);
        wanted.push([...ids]);
      }
      if (one.tentativeIds.length > 0) wanted.push([...ids, ...one.tentativeIds]);
    }
    const texts = tokenizer ? await tokenizer.decodeBatch(wanted) : wanted.map(() => '');
    let next = 0;
    const events: StreamEvent[] = [];
    for (const { index, sequence, ids, tentativeIds, ended, sequences } of progress) {
      const key = `${index} ${sequence}`;
      const one = open.get(key) as Open;
      const settled = texts.slice(next, next + ids.length);
      next += ids.length;
      one.text = settled.at(-1) ?? one.text;
      const delta = one.deltas.push(settled) + (ended ? one.deltas.finish(one.text) : '');
      const whole = tentativeIds.length > 0 ? texts[next++] : one.text;
      const tentative = whole.startsWith(one.deltas.told) ? whole.slice(one.deltas.told.length) : '';
      if (ended) open.delete(key);
      const at = index - firstIndex;
      const event: StreamEvent = { index: at, sequence, ids, delta, tentativeIds, tentative, ended };
      if (sequences) {
        const result = [{ sequences }];
        [event.output] = await modelOutputs(parts, [prepared[at]], result, [inputs[at]], prefix);
      }
      events.push(event);
    }
    return events;
  };
}
