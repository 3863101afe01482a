import { PolybeamError } from '../errors.js';
import { requireAttention } from '../generation/attentionLog.js';
import { promptOf } from '../generation/inputs.js';
import { type DecodingRules, resolveGenerationOptions } from '../generation/options.js';
import type { AttentionSpec } from '../generation/stepModel.js';
import { isBlank } from '../text/blank.js';
import { type AlignmentLink, alignTokens, alignWords, type WordAlignment } from './alignment.js';
import { encodeTexts, requireKnown, targetWriter } from './encodeTexts.js';
import { translationRequest } from './languages.js';
import { prepareInputs, requireGeneration } from './modelInputs.js';
import type { ModelInput, ModelParts } from './modelParts.js';

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
  /** Whether scores come with attention and alignments, and which stands for them; as for `generate`. */
  returnAttention?: boolean;
  alignmentLayer?: number;
  alignmentHeads?: number[];
}

/** What the model thinks of an output. */
export interface ModelScore {
  /** The ids that were scored. */
  ids: readonly number[];
  /** Summed log-probability / length^lengthPenalty, as beam search reports it. Nats; 0 for an empty source or target. */
  score: number;
  /** Natural logarithm of each token's probability; 0 for a token that the model's configuration forces. */
  tokenLogProbabilities: number[];
  /** With `returnAttention`, as for `ModelSequence`; `words` where source and target are texts. */
  attention?: Float32Array[];
  alignment?: AlignmentLink[];
  words?: WordAlignment;
}

/** See `Model.score`. */
export async function scoreAll(
  parts: ModelParts,
  pairs: readonly ScoreInput[],
  { lengthPenalty, to, from, batchSize, ...wanted }: ScoreOptions,
): Promise<ModelScore[]> {
  const { steps, scorer, rules, defaults } = requireGeneration(parts);
  const attention = attentionOf(parts, wanted);
  const exponent = lengthPenalty ?? defaults.lengthPenalty ?? 1;
  const request = translationRequest(parts.languages, { from, to }, rules, parts.directory);
  const ruling = { ...rules, ...request.rules };
  // A text to continue has its beginning.
  const forcedBosTokenId = ruling.decoderStartTokenId === undefined ? undefined : ruling.forcedBosTokenId;
  for (const [index, { source }] of pairs.entries()) {
    if (source.prefix === undefined) continue;
    throw new PolybeamError(
      'INPUT_INVALID',
      `Input ${index + 1}: a prefix is part of the target where outputs are scored; leave prefix out.`,
    );
  }
  const sources = await prepareInputs(
    parts,
    pairs.map(({ source }) => ('text' in source ? { text: request.prefix + source.text } : source)),
    0,
    request.sourceId,
  );
  const prompts = sources.map((source) => promptOf(source, ruling));
  // The last token is never read.
  const room = prompts.map((prompt) => steps.maxPositions - prompt.length + 1);
  const targets = await targetIds(parts, pairs, ruling, room);
  const scored = await scorer.score(
    sources.map(({ inputIds }, index) => ({
      inputIds,
      prompt: prompts[index],
      target: inputIds.length === 0 ? [] : targets[index],
    })),
    batchSize,
    attention,
  );
  const scores = targets.map((ids, index): ModelScore => {
    const tokenLogProbabilities = Array.from(scored[index].logProbabilities);
    if (ids[0] === forcedBosTokenId && tokenLogProbabilities.length > 0) tokenLogProbabilities[0] = 0;
    const sum = tokenLogProbabilities.reduce((total, value) => total + value, 0);
    const score = sum / Math.max(1, tokenLogProbabilities.length) ** exponent;
    return { ids, score, tokenLogProbabilities };
  });
  if (attention) {
    for (const [index, one] of scores.entries()) {
      const { inputIds } = sources[index];
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

/** Which attention is wanted. @throws OPTION_INVALID, OPTION_CONFLICT, ATTENTION_MISSING */
function attentionOf(parts: ModelParts, options: Partial<ScoreOptions>): AttentionSpec | undefined {
  const resolved = resolveGenerationOptions(options);
  const { steps } = requireGeneration(parts);
  requireAttention(steps, resolved);
  if (!resolved.returnAttention) return undefined;
  return { layer: resolved.alignmentLayer, heads: resolved.alignmentHeads };
}

/** The ids of every target; texts as the model would write them. @param room for each, in tokens */
async function targetIds(
  parts: ModelParts,
  pairs: readonly ScoreInput[],
  rules: DecodingRules,
  room: readonly number[],
): Promise<(readonly number[])[]> {
  const texts = pairs.flatMap(({ target }) => (typeof target === 'string' ? [target] : []));
  const encoded = texts.length === 0 ? [] : await encodeTexts(parts, texts, 'target');
  const languages = new Set(parts.languages.tokenIds.values());
  const { followsSource = false } = parts;
  const write = parts.tokenizer && (await targetWriter(parts.tokenizer, { rules, languages, followsSource }));
  let next = 0;
  return pairs.map(({ target }, index) => {
    const name = `Input ${index + 1}: target`;
    if (typeof target !== 'string') return checkTarget(parts, target, room[index], name);
    const written = write!(encoded[next++].ids);
    if (isBlank(target)) return [];
    return checkTarget(parts, written, room[index], name);
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
