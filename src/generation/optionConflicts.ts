import { PolybeamError } from '../errors.js';
import { showValue } from '../inputs.js';
import { conventionsByName, conventionsOf, searchesBeams } from './conventions.js';
import {
  type GenerationOptions,
  generationDefaults,
  type ResolvedGenerationOptions,
} from './optionsSchema.js';

type OptionName = keyof GenerationOptions;

/** Options that apply only to sampling. */
const samplingOnly = [
  'temperature',
  'topK',
  'topP',
  'minP',
  'typicalP',
  'epsilonCutoff',
  'etaCutoff',
  'seed',
] as const satisfies readonly OptionName[];

/** Options that apply only to several beams. */
const beamsOnly = [
  'earlyStopping',
  'lengthPenalty',
  'gnmtLengthPenalty',
  'wordReward',
  'coveragePenalty',
  'patience',
  'numBeamGroups',
  'diversityPenalty',
  'siblingPenalty',
  'forceWordsIds',
  'orderedConstraints',
] as const satisfies readonly OptionName[];

/** Options that apply only if attention is read. */
const attentionOnly = ['alignmentLayer', 'alignmentHeads'] as const satisfies readonly OptionName[];

/** Options that apply only to drafts of an assistant. */
const assistantOnly = [
  'numAssistantTokens',
  'numAssistantTokensSchedule',
  'assistantConfidenceThreshold',
] as const satisfies readonly OptionName[];

/** Options that exclude each other. */
const lengthScores = [
  'lengthPenalty',
  'gnmtLengthPenalty',
  'wordReward',
] as const satisfies readonly OptionName[];

/**
 * Refuses the caller's options that would have no effect or that exclude others.
 *
 * @param user what the caller gave
 * @param resolved the same with every default filled in
 * @throws PolybeamError OPTION_CONFLICT naming both options
 */
export function refuseConflicts(user: GenerationOptions, resolved: ResolvedGenerationOptions): void {
  const { doSample, numBeams, numReturnSequences, maxNewTokens, minNewTokens } = resolved;
  const ranked = !resolved.returnAlternatives && (!doSample || numBeams > 1);
  if (ranked && numReturnSequences > numBeams) {
    throw conflict(
      `numReturnSequences ${numReturnSequences} is more than numBeams ${numBeams}; raise numBeams, or set doSample to true and numBeams to 1 for independent samples.`,
    );
  }
  refuseBesideConventions(user, resolved);
  if (!doSample) {
    const idle = resolved.penaltyAlpha > 0 ? samplingOnly.filter((name) => name !== 'topK') : samplingOnly;
    refuseIdle(user, idle, 'doSample false; set doSample to true');
  }
  if (resolved.penaltyAlpha > 0) refuseContrast(resolved);
  if (resolved.prefixBiasBeta > 0) refuseBesideBias(resolved);
  if (resolved.returnAlternatives) refuseBesideAlternatives(resolved);
  else
    refuseIdle(
      user,
      ['minAlternativeExpansionProb'],
      'returnAlternatives false; set returnAlternatives to true',
    );
  if (numBeams === 1) {
    const scored: readonly OptionName[] = searchesBeams(resolved) ? lengthScores : [];
    refuseIdle(
      user,
      beamsOnly.filter((name) => !scored.includes(name)),
      'numBeams 1; raise numBeams',
    );
  }
  if (resolved.noRepeatNgramSize === 0 && changes(user, 'noRepeatNgramIgnore')) {
    refuseIdle(user, ['noRepeatNgramIgnore'], 'noRepeatNgramSize 0; raise noRepeatNgramSize');
  }
  const scores = lengthScores.filter((name) => changes(user, name));
  if (scores.length > 1) {
    throw conflict(
      `${scores[0]} ${show(user[scores[0]])} and ${scores[1]} ${show(user[scores[1]])} exclude each other; leave one of them out.`,
    );
  }
  const waitsFor = finishedWanted(resolved);
  if (ranked && numReturnSequences > waitsFor) {
    throw conflict(
      `numReturnSequences ${numReturnSequences} is more than the ${waitsFor} hypotheses that patience ${resolved.patience} waits for; raise patience, or lower numReturnSequences.`,
    );
  }
  refuseGroups(user, resolved);
  if (resolved.forceWordsIds) refuseBesideConstraints(resolved);
  refuseBesideDrafts(user, resolved);
  if (!resolved.returnAttention && resolved.coveragePenalty === 0) {
    refuseIdle(user, attentionOnly, 'returnAttention false; set returnAttention to true');
  }
  if (user.prefixAllowedTokens && user.allowedSequences) {
    throw conflict('prefixAllowedTokens and allowedSequences exclude each other; leave one of them out.');
  }
  if (user.prefixAllowedTokens && user.shortlist) {
    throw conflict(
      'prefixAllowedTokens may allow tokens that the shortlist lacks, which is made before; leave one of them out.',
    );
  }
  if ((user.stopStrings === undefined) !== (user.decode === undefined)) {
    throw conflict(
      user.decode === undefined
        ? `stopStrings ${show(user.stopStrings)} needs decode; give a function that turns lists of token ids into texts.`
        : 'decode has no effect without stopStrings; give stopStrings, or leave decode out.',
    );
  }
  if (
    maxNewTokens !== undefined &&
    minNewTokens !== undefined &&
    minNewTokens > maxNewTokens &&
    !resolved.yielding?.includes('minNewTokens')
  ) {
    throw conflict(
      `minNewTokens ${minNewTokens} is more than maxNewTokens ${maxNewTokens}; lower the one or raise the other.`,
    );
  }
}

/** Refuses drafts with searches that do not support them, and options of drafts without drafts. */
function refuseBesideDrafts(user: GenerationOptions, resolved: ResolvedGenerationOptions): void {
  const { assistantModel, promptLookupNumTokens } = resolved;
  if (!assistantModel) refuseIdle(user, assistantOnly, 'no assistantModel; give one');
  if (promptLookupNumTokens === undefined) {
    refuseIdle(user, ['maxMatchingNgramSize'], 'no promptLookupNumTokens; set it');
  }
  if (!assistantModel && promptLookupNumTokens === undefined) return;
  const name = assistantModel ? 'assistantModel' : 'promptLookupNumTokens';
  const others = [
    ['promptLookupNumTokens', assistantModel && promptLookupNumTokens, undefined],
    ['doSample', resolved.doSample, false],
    ['numBeams', resolved.numBeams, 1],
    ['penaltyAlpha', resolved.penaltyAlpha, 0],
    ['returnAttention', resolved.returnAttention, false],
    ['returnAlternatives', resolved.returnAlternatives, false],
    ['shortlist', resolved.shortlist && true, undefined],
  ] as const;
  const other = others.find(([, value, off]) => value !== off);
  if (!other) return;
  const [option, value, off] = other;
  const shown = option === 'shortlist' ? option : `${option} ${show(value)}`;
  const remedy = off === undefined ? `leave ${option}` : `set ${option} to ${off}, or leave ${name}`;
  throw conflict(`${name} drafts for greedy search and does not go with ${shown}; ${remedy} out.`);
}

/** Refuses options that conventions other than the default do not support. */
function refuseBesideConventions(user: GenerationOptions, resolved: ResolvedGenerationOptions): void {
  const { conventions: name, doSample, numBeamGroups, siblingPenalty, forceWordsIds } = resolved;
  const { stops, hasPatience } = conventionsOf(resolved);
  if (stops === 'earlyStopping') return;
  const searches = [
    ['doSample', doSample, false],
    ['penaltyAlpha', resolved.penaltyAlpha, 0],
    ['numBeamGroups', numBeamGroups, 1],
    ['siblingPenalty', siblingPenalty, 0],
    ['forceWordsIds', forceWordsIds, undefined],
  ] as const;
  const other = searches.find(([, value, off]) => value !== off);
  if (other) {
    throw conflict(
      `${other[0]} ${show(other[1])} does not go with conventions ${name}, which are those of plain beam search; leave one of them out.`,
    );
  }
  const idle: readonly OptionName[] = hasPatience ? ['earlyStopping'] : ['earlyStopping', 'patience'];
  refuseIdle(user, idle, `conventions ${name}, which stop in their own way; set conventions to huggingface`);
}

/** Refuses options that contrastive search does not support. */
function refuseContrast(resolved: ResolvedGenerationOptions): void {
  const { penaltyAlpha, topK, doSample, numBeams, returnLogits } = resolved;
  if (doSample || numBeams > 1 || returnLogits) {
    // Contrastive search chooses a token one step after its logits.
    const beams = numBeams > 1 ? `numBeams ${numBeams}` : 'returnLogits true';
    const other = doSample ? 'doSample true' : beams;
    throw conflict(
      `penaltyAlpha ${penaltyAlpha} is contrastive search, which does not go with ${other}; leave one of them out.`,
    );
  }
  if (topK < 2) {
    throw conflict(
      `penaltyAlpha ${penaltyAlpha} chooses among topK tokens, and topK is ${topK}; set it from 2, such as 4.`,
    );
  }
}

/** Refuses options that exclude a biased prefix: sampling, and options that determine the allowed tokens. */
function refuseBesideBias(resolved: ResolvedGenerationOptions): void {
  const { prefixBiasBeta, doSample, penaltyAlpha, forceWordsIds, conventions } = resolved;
  const others = [
    ['doSample true', doSample],
    [`penaltyAlpha ${penaltyAlpha}`, penaltyAlpha > 0],
    ['forceWordsIds', forceWordsIds !== undefined],
    ['prefixAllowedTokens', resolved.prefixAllowedTokens !== undefined],
    ['allowedSequences', resolved.allowedSequences !== undefined],
    [`conventions ${conventions}, which has no such thing`, conventionsOf(resolved).scoresForced],
  ] as const;
  const other = others.find(([, given]) => given);
  if (other) {
    throw conflict(`prefixBiasBeta ${prefixBiasBeta} does not go with ${other[0]}; leave one of them out.`);
  }
}

/** Refuses options that exclude alternatives: sampling, and options about an output as a whole. */
function refuseBesideAlternatives(resolved: ResolvedGenerationOptions): void {
  const { doSample, penaltyAlpha, prefixBiasBeta, forceWordsIds, conventions } = resolved;
  const others = [
    ['doSample true', doSample],
    [`penaltyAlpha ${penaltyAlpha}`, penaltyAlpha > 0],
    [`prefixBiasBeta ${prefixBiasBeta}`, prefixBiasBeta > 0],
    ['forceWordsIds', forceWordsIds !== undefined],
    ['allowedSequences', resolved.allowedSequences !== undefined],
    [`conventions ${conventions}, which has no such thing`, conventionsOf(resolved).scoresForced],
  ] as const;
  const other = others.find(([, given]) => given);
  if (other) throw conflict(`returnAlternatives true does not go with ${other[0]}; leave one of them out.`);
}

function refuseGroups(user: GenerationOptions, resolved: ResolvedGenerationOptions): void {
  const { numBeams, numBeamGroups, diversityPenalty, siblingPenalty, doSample } = resolved;
  if (numBeams === 1) return;
  if (doSample && (numBeamGroups > 1 || siblingPenalty > 0)) {
    const [name, value] =
      numBeamGroups > 1 ? ['numBeamGroups', numBeamGroups] : ['siblingPenalty', siblingPenalty];
    throw conflict(
      `${name} ${value} does not go with doSample true and numBeams ${numBeams}, which is beam sampling; leave one of them out.`,
    );
  }
  if (numBeams % numBeamGroups !== 0) {
    throw conflict(
      `numBeamGroups ${numBeamGroups} cannot share numBeams ${numBeams} equally; make numBeams a multiple of it.`,
    );
  }
  if (numBeamGroups > 1 && diversityPenalty === 0) {
    throw conflict(
      `numBeamGroups ${numBeamGroups} with diversityPenalty 0 would search the same in every group; set diversityPenalty above 0.`,
    );
  }
  if (numBeamGroups === 1 && changes(user, 'diversityPenalty')) {
    throw conflict(
      `diversityPenalty ${diversityPenalty} has no effect with numBeamGroups 1; raise numBeamGroups, or leave diversityPenalty out.`,
    );
  }
  if (numBeamGroups > 1 && siblingPenalty > 0) {
    throw conflict(
      `siblingPenalty ${siblingPenalty} does not go with numBeamGroups ${numBeamGroups}; leave one of them out.`,
    );
  }
}

/**
 * Refuses options that exclude positive constraints.
 *
 * @throws PolybeamError OPTION_CONFLICT
 */
export function refuseBesideConstraints(resolved: ResolvedGenerationOptions): void {
  const others = [
    'stopStrings',
    'prefixAllowedTokens',
    'allowedSequences',
    'siblingPenalty',
    'numBeamGroups',
    'prefixBiasBeta',
    'returnAlternatives',
  ] as const;
  const defaults: Partial<Record<OptionName, unknown>> = generationDefaults;
  const other = others.find((name) => resolved[name] !== undefined && resolved[name] !== defaults[name]);
  if (other) throw conflict(`${other} does not go with forceWordsIds; leave one of them out.`);
  if (resolved.doSample || resolved.numBeams === 1) {
    throw conflict('forceWordsIds needs a beam search; set numBeams above 1, and doSample to false.');
  }
}

/** Finished hypotheses that beam search waits for. */
export function finishedWanted({ numBeams, patience }: ResolvedGenerationOptions): number {
  return Math.max(1, Math.round(numBeams * patience));
}

/** Refuses options that have no effect with the setting that `because` names. */
function refuseIdle(user: GenerationOptions, names: readonly OptionName[], because: string): void {
  for (const name of names) {
    if (!changes(user, name)) continue;
    throw conflict(`${name} ${show(user[name])} has no effect with ${because}, or leave ${name} out.`);
  }
}

/** Whether the caller set the option to a value other than its default. */
function changes(user: GenerationOptions, name: OptionName): boolean {
  const own = conventionsByName[user.conventions ?? generationDefaults.conventions].defaults;
  const defaults: Partial<Record<OptionName, unknown>> = { ...generationDefaults, ...own };
  return user[name] !== undefined && user[name] !== defaults[name];
}

/** An OPTION_CONFLICT. */
export function conflict(message: string): PolybeamError {
  return new PolybeamError('OPTION_CONFLICT', message);
}

/** A value as it appears in messages. */
export const show = showValue;
