import { PolybeamError } from '../errors.js';
import type { DecodingRules } from '../generation/options.js';
import { targetWriter } from '../pretrained/encodeTexts.js';
import { readLanguages, replaceSourceToken, translationRequest } from '../pretrained/languages.js';
import type { StartingModel } from '../pretrained/startingModel.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { type SpecialEnds, specialEnds, type TruncationRule, truncateIds } from '../text/truncation.js';
import type { TokenPair } from './batching.js';
import type { ParallelText } from './data.js';
import type { FinetuneConfig } from './finetuneConfig.js';

/** How texts become what a model learns from. */
export interface PairReader {
  /** What decoding begins with, the target language's token included. */
  rules: DecodingRules;
  maxSource: number;
  maxTarget: number;
  /** What stays of longer sources; undefined where such pairs are left out. */
  truncation?: TruncationRule;
  /** Sources cut, targets as the model is to write them. */
  encode(text: ParallelText): Promise<TokenPair[]>;
  /** Whether a pair is short enough to learn from. */
  fits(pair: TokenPair): boolean;
}

/** Positions that a model has. */
export interface Room {
  source: number;
  target: number;
  /** Of both together, where they share them. */
  together?: number;
}

/**
 * Reads the data section of a configuration for a model.
 * @throws CONFIG_INVALID where lengths do not fit the model; LANGUAGE_UNKNOWN
 */
export async function pairReader(
  data: FinetuneConfig['data'],
  model: Pick<StartingModel, 'name' | 'config' | 'architecture' | 'definition'>,
  tokenizer: Tokenizer,
  modelRules: DecodingRules,
  room: Room,
): Promise<PairReader> {
  const languages = readLanguages(model.config, tokenizer, model.architecture, `${model.name}/config.json`);
  const wanted = { from: data.languages?.source, to: data.languages?.target };
  const request = translationRequest(languages, wanted, modelRules, model.name);
  const rules = { ...modelRules, ...request.rules };
  const lengths = fitLengths(data, room, model.name);
  const ends = await endsAfter(request.prefix, tokenizer);
  const truncation = truncationRule(data, lengths.maxSource, ends);
  const write = await targetWriter(tokenizer, {
    rules,
    languages: new Set(languages.tokenIds.values()),
    followsSource: model.definition.prefix !== undefined,
  });
  return {
    rules,
    ...lengths,
    truncation,
    encode: async (text) => {
      const sources = await tokenizer.encodeBatch(text.source.map((source) => request.prefix + source));
      const cut = sources.map(({ ids }) => ({ ids: truncation ? truncateIds(ids, ends, truncation) : ids }));
      if (request.sourceId !== undefined)
        await replaceSourceToken(cut, request.sourceId, languages, tokenizer);
      const targets = await tokenizer.encodeBatch(text.target, { side: 'target' });
      return cut.map(({ ids }, at) => ({ source: ids, target: write(targets[at].ids) }));
    },
    fits: ({ source, target }) =>
      source.length <= lengths.maxSource &&
      target.length <= lengths.maxTarget &&
      source.length + target.length <= (room.together ?? Number.POSITIVE_INFINITY),
  };
}

/** Special tokens around a source, with those of what is put before it: none of them is cut. */
async function endsAfter(prefix: string, tokenizer: Tokenizer): Promise<SpecialEnds> {
  const { before, after } = await specialEnds(tokenizer);
  const told = prefix === '' ? [] : (await tokenizer.encode(prefix, { addSpecialTokens: false })).ids;
  return { before: before + told.length, after };
}

/** Lengths as configured, or as much as the model has room for. */
function fitLengths(
  { maxSourceLength, maxTargetLength }: FinetuneConfig['data'],
  room: Room,
  name: string,
): { maxSource: number; maxTarget: number } {
  const refuse = (key: string, value: number, most: number) => {
    if (value <= most) return;
    throw new PolybeamError(
      'CONFIG_INVALID',
      `data.${key} is ${value}, but ${name} has ${most} positions for it: lower it to ${most}.`,
    );
  };
  const maxTarget = maxTargetLength ?? Math.min(128, room.target, Math.floor((room.together ?? 512) / 4));
  refuse('maxTargetLength', maxTarget, room.target);
  const left = room.together === undefined ? room.source : room.together - maxTarget;
  const maxSource = maxSourceLength ?? Math.min(512, left);
  refuse('maxSourceLength', maxSource, left);
  return { maxSource, maxTarget };
}

/** What stays of a source that is too long. @throws CONFIG_INVALID where that is more than the limit, or nothing */
function truncationRule(
  { truncation }: FinetuneConfig['data'],
  maxSource: number,
  { before, after }: SpecialEnds,
): TruncationRule | undefined {
  if (truncation === 'drop') return undefined;
  const most = maxSource - before - after;
  if (typeof truncation === 'string') {
    if (most > 0) return truncation === 'head' ? { head: most, tail: 0 } : { head: 0, tail: most };
    throw new PolybeamError(
      'CONFIG_INVALID',
      `data.maxSourceLength is ${maxSource}, which leaves no token of a text beside ${before + after} special ones: raise it.`,
    );
  }
  const { head, tail } = truncation.headTail;
  if (head + tail <= most) return { head, tail };
  throw new PolybeamError(
    'CONFIG_INVALID',
    `data.truncation.headTail keeps ${head} + ${tail} tokens, and ${before + after} special ones, but data.maxSourceLength is ${maxSource}: lower the one or raise the other.`,
  );
}
