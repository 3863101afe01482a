import { type SearchRequest, searchBatch } from './search.js';
import type { GeneratedSequence } from './selector.js';
import type { SourceBatch, StepModel } from './stepModel.js';

/**
 * Alternatives at a position (`return_alternatives` of CTranslate2): the `numReturnSequences` most probable tokens after each
 * prompt, end tokens excluded, and for each its best continuation. If only an end token is allowed, the
 * end is the one alternative.
 *
 * A search of one token finds the tokens; then each is appended to its prompt and completed by a separate search. So an
 * alternative equals the output for its forced beginning.
 *
 * @returns for each sentence the alternatives, most probable next token first; those less probable than
 * `minAlternativeExpansionProb` are left out, but never the first. A score is the token's log-probability plus the score of
 * what follows it.
 * @throws what `searchBatch` throws
 */
export async function searchAlternatives(
  model: StepModel,
  request: SearchRequest,
): Promise<GeneratedSequence[][]> {
  const { limits, options, source, rules } = request;
  const results = await expand(model, request);
  if (limits.maxNewTokens === 1) return results;
  const open = results.flatMap((list, sentence) =>
    list.flatMap((one, rank) => {
      const token = one.ids[one.ids.length - 1];
      const ended = one.tokenLogProbabilities.length === 0 || rules.eosTokenIds.includes(token);
      return ended ? [] : [{ sentence, rank, token }];
    }),
  );
  for (let from = 0; from < open.length; from += source.batch) {
    const part = open.slice(from, from + source.batch);
    const rows = part.map(({ sentence }) => sentence);
    const outputs = await searchBatch(model, {
      ...requestFor(request, rows),
      prompt: Int32Array.from(part.flatMap(({ sentence, token }) => [...promptOf(request, sentence), token])),
      promptLength: request.promptLength + 1,
      options: { ...options, numReturnSequences: 1 },
      limits: {
        minNewTokens: Math.max(0, limits.minNewTokens - 1),
        maxNewTokens: limits.maxNewTokens - 1,
      },
    });
    part.forEach(({ sentence, rank }, at) => {
      results[sentence][rank] = joined(results[sentence][rank], outputs[at][0]);
    });
  }
  return results;
}

/** The most probable next tokens of each sentence, as outputs of one new token; of none where no token is allowed. */
async function expand(model: StepModel, request: SearchRequest): Promise<GeneratedSequence[][]> {
  const { limits, options } = request;
  // The second search reads the attention.
  const whole = limits.maxNewTokens === 1;
  const lists = await searchToken(model, request, 1, options.returnAttention && whole);
  const only = [...lists.keys()].filter((sentence) => lists[sentence][0].tokenLogProbabilities.length === 0);
  if (only.length === 0) return lists;
  const least = Math.min(1, limits.minNewTokens);
  const ends = await searchToken(model, requestFor(request, only), least, options.returnAttention);
  only.forEach((sentence, at) => {
    lists[sentence] = ends[at];
  });
  return lists;
}

/** @param minNewTokens 1 leaves end tokens aside */
async function searchToken(
  model: StepModel,
  request: SearchRequest,
  minNewTokens: number,
  returnAttention: boolean,
): Promise<GeneratedSequence[][]> {
  const { options, limits, rules } = request;
  const wanted = options.numReturnSequences;
  const numBeams = Math.max(2, Math.min(wanted, model.vocabSize));
  const lists = await searchBatch(model, {
    ...request,
    options: {
      ...options,
      numBeams,
      numReturnSequences: numBeams,
      returnAttention,
      numBeamGroups: 1,
      coveragePenalty: 0,
      patience: 1,
      stopStrings: undefined,
      decode: undefined,
    },
    limits: { minNewTokens, maxNewTokens: 1 },
    // Only the last place is forced.
    rules: limits.maxNewTokens === 1 ? rules : { ...rules, forcedEosTokenIds: undefined },
  });
  return lists.map((list) =>
    list
      .slice(0, wanted)
      .filter(
        ({ tokenLogProbabilities: [first] }, rank) =>
          rank === 0 || Math.exp(first) >= options.minAlternativeExpansionProb,
      )
      .map((one) => ({ ...one, score: one.tokenLogProbabilities[0] ?? 0 })),
  );
}

/** An alternative: its first token and its continuation. */
function joined(first: GeneratedSequence, rest: GeneratedSequence): GeneratedSequence {
  return {
    ...rest,
    score: first.score + rest.score,
    tokenLogProbabilities: [...first.tokenLogProbabilities, ...rest.tokenLogProbabilities],
    ...(rest.logits && { logits: [...(first.logits ?? []), ...rest.logits] }),
  };
}

/** The request for some of its sentences; a sentence may occur several times. */
function requestFor(request: SearchRequest, rows: readonly number[]): SearchRequest {
  return {
    ...request,
    source: rowsOfSource(request.source, rows),
    sourceLengths: request.sourceLengths && rows.map((row) => request.sourceLengths![row]),
    prompt: Int32Array.from(rows.flatMap((row) => [...promptOf(request, row)])),
    sentenceIds: rows.map((row) => request.sentenceIds[row]),
  };
}

function promptOf({ prompt, promptLength }: SearchRequest, sentence: number): Int32Array {
  return prompt.subarray(sentence * promptLength, (sentence + 1) * promptLength);
}

function rowsOfSource(
  { inputIds, attentionMask, source }: SourceBatch,
  rows: readonly number[],
): SourceBatch {
  const pick = (values: Int32Array) =>
    Int32Array.from(rows.flatMap((row) => [...values.subarray(row * source, (row + 1) * source)]));
  return { inputIds: pick(inputIds), attentionMask: pick(attentionMask), batch: rows.length, source };
}
