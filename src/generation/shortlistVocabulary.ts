import { PolybeamError } from '../errors.js';
import { conflict } from './optionConflicts.js';
import type { DecodingRules, ResolvedGenerationOptions } from './options.js';
import type { Constraint } from './processors/lexicalConstraints.js';
import { restrictVocabulary } from './restrictVocabulary.js';
import type { Shortlist } from './shortlist.js';
import type { SourceBatch, StepModel } from './stepModel.js';

/** The parts of a batch that determine its list. */
interface ShortlistRequest {
  source: SourceBatch;
  /** [batch, promptLength] */
  prompt: Int32Array;
  options: ResolvedGenerationOptions;
  rules: DecodingRules;
  constraints?: readonly (readonly Constraint[])[];
  /** Prefixes that outputs prefer. */
  bias?: readonly (readonly number[])[];
}

/**
 * The model, restricted to the shortlist's tokens for a batch (L'Hostis et al., "Vocabulary selection strategies
 * for neural machine translation", 2016, section 3.1): those of all its source tokens, those that belong to every list,
 * and all that the options, the rules and the prompts name.
 *
 * @throws PolybeamError OPTION_INVALID for a shortlist of another vocabulary, OPTION_CONFLICT for a model without
 * vocabulary restriction
 */
export function restrictToShortlist(model: StepModel, request: ShortlistRequest): StepModel {
  const { shortlist } = request.options;
  if (!shortlist) return model;
  if (!model.takesVocabulary) {
    throw conflict(
      'shortlist cannot be used where requests share steps, or with a model that computes every logit; leave shortlist out.',
    );
  }
  return restrictVocabulary(model, shortlistVocabulary(shortlist, request, model.vocabSize));
}

/** Ascending ids. Throws as `restrictToShortlist`. */
export function shortlistVocabulary(
  shortlist: Shortlist,
  request: ShortlistRequest,
  vocabSize: number,
): Int32Array {
  const wanted = new Uint8Array(vocabSize);
  const want = (ids: Iterable<number>) => {
    for (const id of ids) {
      if (id >= vocabSize) throw foreign(id, vocabSize);
      wanted[id] = 1;
    }
  };
  want(shortlist.always);
  want(named(request).filter((id) => id < vocabSize));
  const { inputIds, attentionMask } = request.source;
  const { offsets, targets } = shortlist;
  const seen = new Set<number>();
  for (let at = 0; at < inputIds.length; at++) {
    const token = inputIds[at];
    if (attentionMask[at] === 0 || seen.has(token) || token + 1 >= offsets.length) continue;
    seen.add(token);
    want(targets.subarray(offsets[token], offsets[token + 1]));
  }
  let count = 0;
  const vocabulary = new Int32Array(vocabSize);
  for (let id = 0; id < vocabSize; id++) if (wanted[id]) vocabulary[count++] = id;
  return vocabulary.slice(0, count);
}

/** Tokens that must be allowed for any source. */
function named({ prompt, options, rules, constraints = [], bias = [] }: ShortlistRequest): number[] {
  const { decoderStartTokenId = [], eosTokenIds, forcedBosTokenId = [], forcedEosTokenIds = [] } = rules;
  const { allowedSequences = [], sequenceBias = [] } = options;
  return [
    ...prompt,
    ...[decoderStartTokenId].flat(),
    ...eosTokenIds,
    ...[forcedBosTokenId].flat(),
    ...forcedEosTokenIds,
    ...constraints.flat(3),
    ...bias.flat(),
    ...allowedSequences.flat(),
    ...sequenceBias.flatMap(([ids]) => ids),
  ];
}

function foreign(id: number, vocabSize: number): PolybeamError {
  return new PolybeamError(
    'OPTION_INVALID',
    `Option shortlist cannot hold token ${id}: the model's vocabulary has the ids 0 to ${vocabSize - 1}; make the shortlist with the model's own tokenizer.`,
  );
}
