import { PolybeamError } from '../errors.js';
import { requireAttention } from '../generation/attentionLog.js';
import { namesOf, promptOf } from '../generation/inputs.js';
import {
  type DecodingRules,
  type GenerationOptions,
  type ResolvedGenerationOptions,
  resolveGenerationOptions,
} from '../generation/options.js';
import { createLengthScore } from '../generation/processors/lengthScore.js';
import type { AttentionSpec } from '../generation/stepModel.js';
import {
  requireIds,
  requireIntegerOption,
  requireKeys,
  requireList,
  requireObject,
  requireOptionNames,
  wrongInput,
} from '../inputs.js';
import { isBlank } from '../text/blank.js';
import { type AlignmentLink, alignTokens, alignWords, type WordAlignment } from './alignment.js';
import { encodeTexts, targetWriter } from './encodeTexts.js';
import {
  type InputNames,
  type LanguageOptions,
  languageRequest,
  prepareRequest,
  readInput,
  requireGeneration,
} from './modelInputs.js';
import type { ModelInput, ModelParts, ReadInput } from './modelParts.js';

/** A source, and an output to be scored. */
export interface ScoreInput {
  /** For a model that continues texts, the text before the target. */
  source: ModelInput;
  /**
   * Text, or ids as `generate` returns them: without the decoder start token, with the end token. For a model that
   * continues texts the new ids alone. Empty stands for the empty text: the end token alone, or for a model that continues
   * texts nothing.
   */
  target: string | readonly number[];
}

/** The generation options that `score` honors; it searches nothing, so the others have no meaning. */
const honored = [
  'lengthPenalty',
  'gnmtLengthPenalty',
  'wordReward',
  'returnAttention',
  'alignmentLayer',
  'alignmentHeads',
] as const satisfies readonly (keyof GenerationOptions)[];

/**
 * How outputs are scored. `lengthPenalty` (default: the model's, else 1), `gnmtLengthPenalty` and `wordReward` make scores of
 * summed log-probabilities, as in beam search; `returnAttention` and what stands for it are those of `generate`.
 */
export interface ScoreOptions extends LanguageOptions, Pick<GenerationOptions, (typeof honored)[number]> {
  /** Pairs computed together, at most: an integer from 1. Default 16. */
  batchSize?: number;
  /** Index of the first pair among all of the caller's, for errors. Default 0. */
  firstIndex?: number;
}

const optionNames = [...honored, 'to', 'from', 'batchSize', 'firstIndex'];

/** What the model thinks of an output. */
export interface ModelScore {
  /** The ids that were scored. */
  ids: readonly number[];
  /** Summed log-probability / length^lengthPenalty, as beam search reports it. Nats; 0 for an empty source. */
  score: number;
  /** Natural logarithm of each token's probability; 0 for a first token that is forced. */
  tokenLogProbabilities: number[];
  /** With `returnAttention`, as for `ModelSequence`; `words` where source and target are texts. */
  attention?: Float32Array[];
  alignment?: AlignmentLink[];
  words?: WordAlignment;
}

/** See `Model.score`. */
export async function scoreAll(
  parts: ModelParts,
  given: readonly ScoreInput[],
  options: ScoreOptions,
): Promise<ModelScore[]> {
  const { steps, scorer } = requireGeneration(parts);
  requireOptionNames(options, optionNames, 'score');
  const { to, from, batchSize, firstIndex, ...wanted } = options;
  requireIntegerOption('batchSize', batchSize, 1);
  requireIntegerOption('firstIndex', firstIndex, 0);
  const resolved = resolveScoring(parts, wanted);
  const attention = attentionOf(parts, resolved);
  const nameOf = namesOf({ firstIndex });
  requireList(given, 'pairs', 'objects with source and target');
  const pairs = Array.from(given, (pair, index) => readPair(pair, nameOf(index)));
  const request = languageRequest(parts, { from, to });
  const sources = pairs.map(({ source }) => source);
  const ready = await prepareRequest(parts, sources, request, { from, to }, {}, nameOf);
  const { prepared, rules } = ready;
  const prompts = prepared.map((source) => promptOf(source, rules));
  // The last token is never read.
  const room = prompts.map((prompt) => steps.maxPositions - prompt.length + 1);
  const targets = await targetIds(parts, pairs, rules, room, nameOf);
  const scored = await scorer.score(
    prepared.map(({ inputIds, attentionMask }, index) => ({
      inputIds,
      attentionMask,
      prompt: prompts[index],
      target: isEmpty(prepared[index]) ? [] : targets[index],
    })),
    batchSize,
    attention,
  );
  const lengthScore = createLengthScore(resolved);
  const scores = targets.map((ids, index): ModelScore => {
    const tokenLogProbabilities = Array.from(scored[index].logProbabilities);
    if (tokenLogProbabilities.length === 0) return { ids, score: 0, tokenLogProbabilities };
    if (ids[0] === forcedFirst(rules, prompts[index])) tokenLogProbabilities[0] = 0;
    const sum = tokenLogProbabilities.reduce((total, value) => total + value, 0);
    return { ids, score: lengthScore.of(sum, tokenLogProbabilities.length), tokenLogProbabilities };
  });
  if (attention) {
    for (const [index, one] of scores.entries()) {
      const { inputIds } = prepared[index];
      const rows = scored[index].attention as Float32Array[];
      Object.assign(one, alignTokens(parts, rows, inputIds, one.ids));
      const { source, target } = pairs[index];
      if (!('text' in source) || typeof target !== 'string') continue;
      const read = { text: source.text, prefix: request.prefix, ids: inputIds };
      one.words = await alignWords(parts, rows, read, { text: target, ids: one.ids }, true);
    }
  }
  return scores;
}

function isEmpty({
  inputIds,
  attentionMask,
}: {
  inputIds: readonly number[];
  attentionMask?: readonly number[];
}) {
  return inputIds.length === 0 || attentionMask?.includes(1) === false;
}

/** The token that must come first after a prompt: forced only right after the decoder start token, never in a text to continue. */
function forcedFirst(rules: DecodingRules, prompt: readonly number[]): number | undefined {
  return rules.decoderStartTokenId !== undefined && prompt.length === 1 ? rules.forcedBosTokenId : undefined;
}

/** A pair whose source is an object. @throws INPUT_INVALID */
function readPair(pair: ScoreInput, name: string): { source: ReadInput; target: string | readonly number[] } {
  requireObject(pair, name, 'source and target');
  requireKeys(pair, ['source', 'target'], name);
  const { target } = pair as ScoreInput;
  const source = readInput(pair.source, `${name}: source`);
  if (source.prefix !== undefined || source.forceWordsIds !== undefined) {
    const key = source.prefix === undefined ? 'forceWordsIds' : 'prefix';
    const why = key === 'prefix' ? 'a prefix is part of the target' : 'nothing is searched';
    throw new PolybeamError('INPUT_INVALID', `${name}: ${why} where outputs are scored; leave ${key} out.`);
  }
  if (typeof target !== 'string') {
    if (!Array.isArray(target))
      throw wrongInput(`${name}: target`, target, 'give a text or a list of token ids');
    requireIds(target, `${name}: target`);
  }
  return { source, target };
}

/** The options of a score with their defaults: of the model's own, only the length penalty counts. @throws OPTION_INVALID, OPTION_CONFLICT */
function resolveScoring(parts: ModelParts, wanted: Partial<ScoreOptions>): ResolvedGenerationOptions {
  const { lengthPenalty } = requireGeneration(parts).defaults;
  // Scores are those of a beam search.
  return resolveGenerationOptions({ ...wanted, numBeams: 2 }, { lengthPenalty });
}

/** Which attention is wanted. @throws OPTION_INVALID, OPTION_CONFLICT, ATTENTION_MISSING */
function attentionOf(parts: ModelParts, resolved: ResolvedGenerationOptions): AttentionSpec | undefined {
  const { steps } = requireGeneration(parts);
  requireAttention(steps, resolved);
  if (!resolved.returnAttention) return undefined;
  return { layer: resolved.alignmentLayer, heads: resolved.alignmentHeads };
}

/** The ids of every target; texts as the model would write them. @param room for each, in tokens */
async function targetIds(
  parts: ModelParts,
  pairs: readonly Pick<ScoreInput, 'target'>[],
  rules: DecodingRules,
  room: readonly number[],
  nameOf: InputNames,
): Promise<(readonly number[])[]> {
  const texts = pairs.flatMap(({ target }) => (typeof target === 'string' ? [target] : []));
  const encoded = texts.length === 0 ? [] : await encodeTexts(parts, texts, 'target');
  const languages = new Set(parts.languages.tokenIds.values());
  const { followsSource = false } = parts;
  const write = parts.tokenizer && (await targetWriter(parts.tokenizer, { rules, languages, followsSource }));
  let next = 0;
  return pairs.map(({ target }, index) => {
    const ids = typeof target === 'string' ? write!(encoded[next++].ids) : target;
    const isEmpty = ids.length === 0 || (typeof target === 'string' && isBlank(target));
    return checkTarget(parts, isEmpty ? emptyTarget(rules) : ids, room[index], `${nameOf(index)}: target`);
  });
}

/** What a model writes that has nothing to say. */
function emptyTarget({
  decoderStartTokenId,
  forcedBosTokenId,
  eosTokenIds,
}: DecodingRules): readonly number[] {
  if (decoderStartTokenId === undefined || eosTokenIds.length === 0) return [];
  return [...(forcedBosTokenId === undefined ? [] : [forcedBosTokenId]), eosTokenIds[0]];
}

function checkTarget(
  parts: ModelParts,
  ids: readonly number[],
  room: number,
  name: string,
): readonly number[] {
  requireIds(ids, name, parts.generation!.steps.vocabSize);
  if (ids.length <= room) return ids;
  throw new PolybeamError(
    'INPUT_INVALID',
    `${name} has ${ids.length} tokens; the model can write ${room}: shorten it.`,
  );
}
